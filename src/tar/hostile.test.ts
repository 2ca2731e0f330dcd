/** Archives with random damage, always the same: every one is read, or refused with an error of ours. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blocks, END, GNU, header, pax, read, scan } from './archive.fixture.ts';
import type { TarEntry } from './entry.ts';
import { checksum, isHeader } from './header.ts';

const RUNS = 20_000;
const LIMITS = { entries: 50, headerBytes: 8192, sparseParts: 100 };
/** Where a byte makes a difference in a header. */
const FIELDS = [100, 124, 125, 156, 157, 257, 386, 398, 483];
const ODD = [
  0, 1, 0x0a, 0x20, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x37, 0x39, 0x3d, 0x53, 0x67, 0x78, 0x7f, 0x80, 0xc3, 0xff,
];

const sparseRest = Buffer.alloc(167);
sparseRest.write('00000000000\x0000000000005\0', 41, 'latin1');
sparseRest.write('00000010000\0', 138, 'latin1');
const GOOD = Buffer.concat([
  pax(
    [
      ['comment', 'abc'],
      ['uname', 'all'],
    ],
    'g',
  ),
  header({ name: 'dir/', type: '5' }),
  pax([
    ['path', 'dir/ü'],
    ['mtime', '-1.5'],
    ['size', '5'],
    ['SCHILY.xattr.user.a', 'b'],
    ['LIBARCHIVE.xattr.user.%41', 'AP8'],
  ]),
  header({ name: 'dir/u' }),
  blocks('hello'),
  header({ type: 'L', size: 8, magic: GNU }),
  blocks('longname'),
  header({ type: 'S', magic: GNU, size: 5, rest: sparseRest }),
  blocks('holes'),
  pax([
    ['GNU.sparse.size', '4096'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.map', '0,2,100,3'],
  ]),
  header({ size: 5 }),
  blocks('holes'),
  pax([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'n'],
    ['GNU.sparse.realsize', '4096'],
  ]),
  header({ size: 517 }),
  blocks('1\n7\n5\n'),
  blocks('lines'),
  header({ name: 'link', type: '2', link: 'dir' }),
  header({ name: 'hard', type: '1', link: 'dir/u', size: 5 }),
  blocks('hello'),
  header({ name: 'null', type: '3', major: '0000001\0', minor: '0000003\0' }),
  END,
]);

/** Mulberry32: the same numbers on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A damaged copy. Checksums are mended mostly, or nothing but the first check would be tested. */
function mutant(random: (below: number) => number): Buffer {
  const bytes = Buffer.from(GOOD);
  const headers = [...Array(bytes.length / 512).keys()]
    .map((i) => 512 * i)
    .filter((at) => isHeader(bytes.subarray(at, at + 512)));
  for (let i = random(4); i >= 0; i--) {
    const at = random(bytes.length);
    if (random(3) === 0) bytes.copy(bytes, at, random(bytes.length), random(bytes.length));
    else bytes[at] = ODD[random(ODD.length)] ?? 0;
    if (random(2) === 0) {
      const field = FIELDS[random(FIELDS.length)] ?? 0;
      bytes[(headers[random(headers.length)] ?? 0) + field] = ODD[random(ODD.length)] ?? 0;
    }
  }
  if (random(10) > 0) for (const at of headers) mend(bytes.subarray(at, at + 512));
  return random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

function mend(block: Buffer): void {
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** What must hold of an entry whatever it was made of. */
function assertSound(entry: TarEntry, archive: Uint8Array): void {
  const { path, mode, uid, size, storedSize, dataOffset, sparse, mtime } = entry;
  assert.ok(path !== '' && !path.includes('\0') && mode >= 0 && mode <= 0o7777 && uid >= 0 && uid < 2 ** 32 - 1);
  assert.ok(Number.isSafeInteger(size) && size >= 0 && mtime.nanoseconds >= 0 && mtime.nanoseconds < 1e9);
  assert.ok(dataOffset % 512 === 0 && dataOffset + storedSize <= archive.length);
  const parts = sparse ?? [{ offset: 0, length: size }];
  let end = -1;
  for (const part of parts) {
    assert.ok(part.offset > end || (part.offset === 0 && end === -1), `${part.offset} behind ${end}`);
    end = part.offset + part.length;
  }
  assert.ok(end <= size);
  assert.equal(
    parts.reduce((sum, { length }) => sum + length, 0),
    storedSize,
  );
}

describe('a damaged archive', () => {
  it('is whole before it is damaged', async () => {
    assert.deepEqual(
      scan(GOOD).map(({ path }) => path),
      ['dir', 'dir/ü', 'longname', 'file', 'n', 'link', 'hard', 'null'],
    );
    assert.deepEqual(
      (await read(GOOD)).map(({ entry }) => entry),
      scan(GOOD),
    );
  });

  it(`is read or refused with an error of ours, ${RUNS} times, by both readers alike`, {
    timeout: 120_000,
  }, async () => {
    const random = randomFrom(1);
    const codes = new Map<string, number>();
    for (let run = 0; run < RUNS; run++) {
      const archive = mutant(random);
      const code = outcome(() => {
        for (const entry of scan(archive, LIMITS)) assertSound(entry, archive);
      });
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (run % 10 === 0) assert.equal(await outcomeOfRead(archive), code, `run ${run}`);
    }
    for (const code of ['read', 'TAR_MALFORMED', 'TAR_TRUNCATED', 'TAR_NAME', 'TAR_LIMIT', 'TAR_UNSUPPORTED']) {
      assert.ok((codes.get(code) ?? 0) > 20, `${code}: ${JSON.stringify([...codes])}`);
    }
  });
});

function outcome(attempt: () => void): string {
  try {
    attempt();
    return 'read';
  } catch (error) {
    return codeOfOurs(error);
  }
}

async function outcomeOfRead(archive: Uint8Array): Promise<string> {
  try {
    await read(archive, 1000, LIMITS);
    return 'read';
  } catch (error) {
    return codeOfOurs(error);
  }
}

function codeOfOurs(error: unknown): string {
  if (error instanceof Error && error.name === 'TarError' && 'code' in error) return String(error.code);
  throw error;
}
