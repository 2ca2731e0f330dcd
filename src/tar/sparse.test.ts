import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertRefused, END, header, onlyEntry, pax, read, scan } from './archive.fixture.ts';
import { readTar } from './read.ts';
import { DATA, form, form00, form01, form10, gnu, LOGICAL, PARTS, SIZE } from './sparse.fixture.ts';

describe('a sparse file', () => {
  for (const [name, archive, dataOffset] of [
    [
      'of old GNU',
      gnu([
        [1024, 512],
        [4096, 100],
        [SIZE, 0],
      ]),
      512,
    ],
    [
      'in the form 0.0',
      form00([
        ['offset', '1024'],
        ['numbytes', '512'],
        ['offset', '4096'],
        ['numbytes', '100'],
      ]),
      1536,
    ],
    ['in the form 0.1', form01('1024,512,4096,100'), 1536],
    ['in the form 1.0', form10('2\n1024\n512\n4096\n100\n'), 2048],
  ] as const) {
    it(`${name} has its parts, and its holes come as zeros`, async () => {
      const entry = await onlyEntry(archive);
      assert.deepEqual([entry.sparse, entry.size, entry.storedSize, entry.dataOffset], [PARTS, SIZE, 612, dataOffset]);
      if (!name.includes('GNU') && !name.includes('0.0')) assert.equal(entry.path, 'file');
      for (const chunk of [undefined, 1, 513]) assert.deepEqual((await read(archive, chunk))[0]?.data, LOGICAL);
    });
  }

  it('may have parts in many blocks', async () => {
    const list = Array.from({ length: 60 }, (_, i) => [1000 * i, 7] as const);
    const data = Array.from({ length: 60 }, (_, i) => `part ${String.fromCharCode(48 + i)}.`).join('');
    const archive = gnu(list, data, 60_000);
    const entry = await onlyEntry(archive);
    assert.deepEqual([entry.sparse?.length, entry.storedSize, entry.dataOffset], [60, 420, 4 * 512]);
    assert.equal(
      (await read(archive))[0]?.data.toString('latin1', 59_000, 59_007),
      `part ${String.fromCharCode(48 + 59)}.`,
    );
    const lines = form10(`60\n${list.map(([offset, length]) => `${offset}\n${length}\n`).join('')}`, data, 60_000);
    assert.deepEqual((await onlyEntry(lines)).sparse, entry.sparse);
  });

  it('keeps its header when the blocks of its map take its place in memory', async () => {
    const filler = (count: number) => Array.from({ length: count }, () => header({ name: 'filler' }));
    const many = Array.from({ length: 5 }, (_, i) => [1000 * i, 1] as const);
    // Readers fill 4096 bytes at first: the header is the last block of them, and the map comes next.
    const rest = Buffer.alloc(8192, 0xee);
    const old = Buffer.concat([...filler(7), gnu(many, 'x'.repeat(5)), rest]);
    const lines = Buffer.concat([...filler(5), form10('2\n1024\n512\n4096\n100\n'), rest]);
    for (const archive of [old, lines]) {
      assert.deepEqual([scan(archive).at(-1)?.path, scan(archive).at(-1)?.mode], ['file', 0o644]);
      async function* reusing() {
        const buffer = Buffer.alloc(4096);
        for (let at = 0; at < archive.length; at += 4096)
          yield buffer.subarray(0, archive.copy(buffer, 0, at, at + 4096));
      }
      const found = [];
      for await (const { data, whole, ...entry } of readTar(reusing())) found.push(entry);
      assert.deepEqual(found, scan(archive));
    }
  });

  it('is nothing but a hole without any part', async () => {
    for (const archive of [gnu([[SIZE, 0]], ''), form([['size', '5000']], ''), form10('0\n', '')]) {
      const entry = await onlyEntry(archive);
      assert.deepEqual([entry.sparse, entry.storedSize, entry.size], [[], 0, SIZE]);
      assert.deepEqual((await read(archive))[0]?.data, Buffer.alloc(SIZE));
    }
  });

  it('without a hole is a file like others', async () => {
    assert.equal(
      (
        await onlyEntry(
          gnu(
            [
              [0, 512],
              [512, 100],
            ],
            DATA,
            612,
          ),
        )
      ).sparse,
      undefined,
    );
    assert.equal((await onlyEntry(gnu([], '', 0))).sparse, undefined);
  });

  it('has parts that touch as one', async () => {
    const entry = await onlyEntry(
      gnu([
        [100, 512],
        [612, 0],
        [612, 100],
      ]),
    );
    assert.deepEqual(entry.sparse, [{ offset: 100, length: 612 }]);
  });

  it('gives a large hole in chunks of at most 1 MiB, and the true size', async () => {
    const entry = await onlyEntry(gnu([[0, 1]], 'x', 3 * 2 ** 20 + 5));
    assert.equal(entry.size, 3 * 2 ** 20 + 5);
    const [found] = await read(gnu([[0, 1]], 'x', 3 * 2 ** 20 + 5));
    assert.equal(found?.data.length, 3 * 2 ** 20 + 5);
  });

  for (const [flaw, archive] of [
    [
      'parts out of order',
      gnu([
        [4096, 100],
        [1024, 512],
      ]),
    ],
    [
      'parts that overlap',
      gnu([
        [1024, 512],
        [1100, 100],
      ]),
    ],
    [
      'a part behind its end',
      gnu([
        [1024, 512],
        [4950, 100],
      ]),
    ],
    [
      'more parts than data',
      gnu([
        [0, 512],
        [1024, 512],
      ]),
    ],
    ['fewer parts than data', gnu([[0, 512]])],
    ['an offset below 0', gnu([[Buffer.from('ff'.repeat(12), 'hex').toString('latin1'), 612]])],
    ['a length that is no number', gnu([[0, 'zzzzzzzzzzz\0']])],
    ['a length of 2^62', gnu([[0, Buffer.from('800000004000000000000000', 'hex').toString('latin1')]])],
    ['an offset without a length', form00([['offset', '0']])],
    ['a length without an offset', form00([['numbytes', '612']])],
    [
      'two offsets in turn',
      form00([
        ['offset', '0'],
        ['offset', '1'],
        ['numbytes', '612'],
      ]),
    ],
    [
      'another number of parts',
      form00([
        ['offset', '0'],
        ['numbytes', '612'],
      ]),
    ],
    ['an odd map', form01('1024,512,4096')],
    ['a map with an empty number', form01('1024,512,,100')],
    ['a map with a number below 0', form01('-1,512,4096,100')],
    ['no size', form([['map', '0,612']])],
    ['lines without an end', form10('2\n1024\n512\n4096\n100')],
    ['lines with a letter', form10('2\n1024\n512\n4096\nx\n')],
    ['an empty line', form10('2\n\n1024\n512\n4096\n100\n')],
    ['a count of too many digits', form10('00000000000000002\n1024\n512\n4096\n100\n')],
    ['lines beyond its data', form10('99\n1\n1\n', '')],
    [
      'no lines at all',
      form(
        [
          ['major', '1'],
          ['minor', '0'],
          ['realsize', '5'],
        ],
        '',
      ),
    ],
  ] as const) {
    it(`with ${flaw} is malformed`, () => assertRefused(archive, 'TAR_MALFORMED'));
  }

  it('in a form that is not known is not supported', async () => {
    for (const [major, minor] of [
      ['2', '0'],
      ['1', '1'],
    ] as const) {
      await assertRefused(
        form([
          ['major', major],
          ['minor', minor],
          ['realsize', '5'],
        ]),
        'TAR_UNSUPPORTED',
      );
    }
  });

  it('that is a directory is malformed', async () => {
    const archive = Buffer.concat([pax([['GNU.sparse.size', '5']]), header({ type: '5' }), END]);
    await assertRefused(archive, 'TAR_MALFORMED');
  });

  it('has a limit of its parts, in every form', async () => {
    const list = Array.from({ length: 30 }, (_, i) => [1000 * i, 1] as const);
    const text = 'x'.repeat(30);
    const archives = [
      gnu(list, text, 50_000),
      form(
        [
          ['size', '50000'],
          ['map', list.join(',')],
        ],
        text,
      ),
      form(
        [
          ['size', '50000'],
          ...list.flatMap(
            ([o, n]) =>
              [
                ['offset', `${o}`],
                ['numbytes', `${n}`],
              ] as const,
          ),
        ],
        text,
      ),
      form10(`30\n${list.map(([o, n]) => `${o}\n${n}\n`).join('')}`, text, 50_000),
    ];
    for (const archive of archives) {
      assert.equal((await onlyEntry(archive, { sparseParts: 30 })).sparse?.length, 30);
      await assertRefused(archive, 'TAR_LIMIT', { sparseParts: 29 });
    }
  });

  it('has a limit of empty parts as well, and no blocks behind the end of its map', async () => {
    const empty = Array.from({ length: 30 }, (_, i) => [1000 * i, 0] as const);
    await assertRefused(gnu(empty, ''), 'TAR_LIMIT', { sparseParts: 29 });
    await assertRefused(form10('30\n1\n', ''), 'TAR_LIMIT', { sparseParts: 29 });
    await assertRefused(
      gnu([
        [0, 612],
        ['', ''],
        ['', ''],
        ['', ''],
        ['', ''],
      ]),
      'TAR_MALFORMED',
    );
  });

  it('whose map ends with the archive is truncated', async () => {
    const old = gnu(
      Array.from({ length: 30 }, (_, i) => [1000 * i, 1] as const),
      'x'.repeat(30),
      50_000,
    );
    for (const length of [512, 600, 1024]) await assertRefused(old.subarray(0, length), 'TAR_TRUNCATED');
    const lines = form10(`30\n${'1\n'.repeat(60)}`);
    for (const length of [1536, 1700]) await assertRefused(lines.subarray(0, length), 'TAR_TRUNCATED');
  });
});
