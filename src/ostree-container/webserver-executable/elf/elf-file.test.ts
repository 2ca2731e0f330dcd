import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../base/error.ts';
import { readRequirements } from './dynamic.ts';
import { BASE, CONTENT_AT, elfWithVersions, smallElf } from './elf.fixture.ts';
import { decodeSegment, encodeSegment, PT_INTERP, readAtAddress, readElf } from './elf-file.ts';
import { injectNote } from './inject-note.ts';
import { bytesSource } from './sources.ts';

const source = (bytes: Uint8Array) => bytesSource('file', bytes);

describe('an ELF file', () => {
  it('has segments, which come back as they went in', () => {
    const { segments, machine, headersAt } = readElf(source(smallElf()));
    assert.deepEqual([segments.length, machine, headersAt], [2, 62, 64]);
    for (const segment of segments)
      assert.deepEqual(decodeSegment(source(Buffer.alloc(0)), encodeSegment(segment)), segment);
  });

  it('is read at the addresses it will have', () => {
    const file = source(smallElf());
    assert.equal(readAtAddress(file, readElf(file), BASE + CONTENT_AT, 7).toString(), 'content');
    for (const [address, length] of [
      [BASE + CONTENT_AT, 8],
      [BASE - 1, 1],
      [0, 1],
    ] as const) {
      assert.throws(() => readAtAddress(file, readElf(file), address, length), { code: 'ELF_MALFORMED' });
    }
  });

  it('without a loader needs nothing', () => {
    const { loader, libraries, versions, provided } = readRequirements(source(smallElf()));
    assert.deepEqual([loader, libraries, versions, provided.size], [undefined, [], [], 0]);
  });

  it('names the versions that it needs of each library, and not as many as lists that are used twice could hold', () => {
    const { versions } = readRequirements(bytesSource('x', elfWithVersions(2, 3)));
    assert.deepEqual(versions, Array(6).fill({ library: 'name', version: 'name' }));
    const many = bytesSource('x', elfWithVersions(4000, 4000));
    assert.throws(() => readRequirements(many), { code: 'ELF_MALFORMED' });
  });

  it('names its loader without the NUL behind it', () => {
    const name = '/lib/ld-musl-aarch64.so.1';
    const at = { offset: CONTENT_AT + 56, address: 0, flags: 4, fileSize: name.length + 1, memorySize: 0, align: 1 };
    const bytes = smallElf({ segments: [{ type: PT_INTERP, ...at }], content: Buffer.from(`${name}\0`), machine: 183 });
    const { loader, machine } = readRequirements(source(bytes));
    assert.deepEqual([loader, machine], [name, 183]);
  });

  for (const [flaw, change] of [
    ['no magic number', (file: Buffer) => file.write('\x7fELG', 'latin1')],
    ['32 bits', (file: Buffer) => file.writeUInt8(1, 4)],
    ['the other byte order', (file: Buffer) => file.writeUInt8(2, 5)],
    ['program headers of another size', (file: Buffer) => file.writeUInt16LE(32, 54)],
    ['no program headers', (file: Buffer) => file.writeUInt16LE(0, 56)],
    ['more program headers than any program', (file: Buffer) => file.writeUInt16LE(60_000, 56)],
    ['program headers behind its end', (file: Buffer) => file.writeBigUInt64LE(100_000n, 32)],
    ['an offset of more than 2^53', (file: Buffer) => file.writeBigUInt64LE(2n ** 60n, 32)],
  ] as const) {
    it(`with ${flaw} is malformed`, () => {
      const file = smallElf();
      change(file);
      assert.throws(() => readElf(source(file)), { code: 'ELF_MALFORMED' });
    });
  }

  it('that is damaged gives requirements, or says that it is malformed, and nothing else', () => {
    // The very program that runs this: its first megabytes and what its tables point to.
    const real = readFileSync(process.execPath).subarray(0, 12 * 2 ** 20);
    const bytes = fc.record({ at: fc.nat({ max: 2 ** 16 }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), fc.nat({ max: 4096 }), (changes, cut) => {
        const file = Buffer.from(real.subarray(0, cut < 2048 ? cut : real.length));
        for (const { at, value } of changes) if (at < file.length) file[at % 1024] = value;
        try {
          readRequirements(source(file));
          injectNote(source(file), 'NOTE', Buffer.from('x'));
        } catch (error) {
          assert.equal(codeOf(error), 'ELF_MALFORMED');
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a note that is put in', () => {
  const content = Buffer.from('a script');

  it('lies behind the end, in a segment with the distance of the first one, that overlaps none', () => {
    const file = smallElf();
    const { patches, padding, appended, size } = injectNote(source(file), 'NAME', content);
    const made = Buffer.concat([file, Buffer.alloc(padding), appended]);
    for (const { offset, bytes } of patches) made.set(bytes, offset);
    assert.equal(made.length, size);
    const { segments, headersAt } = readElf(source(made));
    assert.deepEqual(
      segments.map(({ type }) => type),
      [6, 1, 1, 4],
    );
    const [table, old, added, note] = segments;
    assert.ok(table && old && added && note);
    assert.deepEqual([table.offset, table.address, table.fileSize], [headersAt, BASE + headersAt, 4 * 56]);
    assert.deepEqual(
      [added.offset, added.address, added.fileSize],
      [headersAt, BASE + headersAt, made.length - headersAt],
    );
    assert.ok(added.address >= old.address + old.memorySize && added.address % 65_536 === 0);
    assert.equal(note.address - note.offset, BASE);
    const bytes = readAtAddress(source(made), readElf(source(made)), note.address, note.fileSize);
    assert.deepEqual(bytes, Buffer.from('\x05\0\0\0\x08\0\0\0\0\0\0\0NAME\0\0\0\0a script', 'latin1'));
  });

  it('is refused by a program whose memory ends far behind its file', () => {
    const far = { type: 1, flags: 6, offset: 0, address: 0x500000, fileSize: 0, memorySize: 2 ** 40, align: 4096 };
    assert.throws(() => injectNote(source(smallElf({ segments: [far] })), 'NAME', content), { code: 'ELF_MALFORMED' });
  });

  it('changes nothing else of the file', () => {
    const file = smallElf();
    const { patches } = injectNote(source(file), 'NAME', content);
    assert.deepEqual(
      patches.map(({ offset, bytes }) => [offset, bytes.length]),
      [
        [32, 8],
        [56, 2],
      ],
    );
  });
});
