import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DirTree, decodeAnyDirTree, encodeDirTree } from './dirtree.ts';
import { readPlainDirTree } from './plain-dirtree.ts';

const checksum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const name = fc.stringMatching(/^[a-c.\-~ ]{1,8}$|^[a-z]{1,240}$/).filter((text) => text !== '.' && text !== '..');
const tree: fc.Arbitrary<DirTree> = fc
  .uniqueArray(fc.record({ name, isFile: fc.boolean(), checksum, meta: checksum }), {
    selector: (entry) => entry.name,
    maxLength: 30,
  })
  .map((entries) => ({
    files: entries.filter(({ isFile }) => isFile).map((entry) => ({ name: entry.name, checksum: entry.checksum })),
    directories: entries
      .filter(({ isFile }) => !isFile)
      .map((entry) => ({ name: entry.name, tree: entry.checksum, meta: entry.meta })),
  }));

/** Of the decoder for all types. */
function expected(object: Uint8Array): DirTree | undefined {
  try {
    return decodeAnyDirTree(object);
  } catch {
    return undefined;
  }
}

describe('the short way to read a directory', () => {
  it('reads what the decoder for all types reads', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const object = encodeDirTree(value);
        const isShort = [...value.files, ...value.directories].every((entry) => entry.name.length < 180);
        const read = readPlainDirTree(object);
        assert.deepEqual(read, isShort ? expected(object) : read && expected(object));
      }),
    );
  });

  it('reads a thousand files, for which offsets take more bytes', () => {
    for (const count of [0, 1, 3, 6, 7, 8, 1000, 1700, 2000]) {
      const files = Array.from({ length: count }, (_, i) => ({ name: `file-${10000 + i}`, checksum: 'ab'.repeat(32) }));
      const object = encodeDirTree({ files, directories: [] });
      assert.deepEqual(readPlainDirTree(object), { files, directories: [] });
    }
  });

  it('reads nothing else out of bytes that were changed, cut or joined', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'cut', 'add', 'swap') });
    fc.assert(
      fc.property(tree, fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        let object = Buffer.from(encodeDirTree(value));
        for (const { at, byte, kind } of changes) {
          const i = at % object.length;
          if (kind === 'set') object[i] = byte;
          else if (kind === 'swap') object[i] = object[object.length - 1 - i] ?? 0;
          else
            object =
              kind === 'cut'
                ? Buffer.concat([object.subarray(0, i), object.subarray(i + 1)])
                : Buffer.concat([object.subarray(0, i), Buffer.of(byte), object.subarray(i)]);
          if (object.length === 0) return;
        }
        const read = readPlainDirTree(object);
        if (read !== undefined) assert.deepEqual(read, expected(object));
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves names that are not plain, not sorted or twice there to the other decoder', () => {
    const file = (text: string) => ({ name: text, checksum: '00'.repeat(32) });
    for (const text of ['ä', 'a\tb', '😀', 'x'.repeat(250)]) {
      assert.equal(readPlainDirTree(encodeDirTree({ files: [file(text)], directories: [] })), undefined, text);
    }
    const directory = { name: 'a', tree: '11'.repeat(32), meta: '22'.repeat(32) };
    for (const names of [['.'], ['..'], [''], ['a/b'], ['a', 'a']]) {
      assert.equal(readPlainDirTree(encodeDirTree({ files: names.map(file), directories: [] })), undefined, names[0]);
    }
    assert.equal(readPlainDirTree(encodeDirTree({ files: [file('a')], directories: [directory] })), undefined);
    assert.equal(readPlainDirTree(new Uint8Array()), undefined);
  });
});
