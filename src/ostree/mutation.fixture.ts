/** Damaged files of the vectors, handed to the decoder that reads such files: a value or a coded error, nothing else. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { mutate } from '../../test/support/mutate.ts';
import { filesOf, unpackVector, VECTORS, type VectorName } from '../../test/support/ostree-vectors.ts';
import { CodedError } from '../base/error.ts';
import { decompressXz } from '../compression/index.ts';
import { decodeOperations } from './delta/algorithms/operations.ts';
import { decodeDeltaIndex } from './delta/index-file.ts';
import { decodePart, PLAIN, XZ } from './delta/part-payload.ts';
import { decodeSuperblock } from './delta/superblock.ts';
import { decodeCommit } from './objects/commit.ts';
import { decodeDetached } from './objects/detached.ts';
import { decodeDirMeta } from './objects/dirmeta.ts';
import { decodeDirTree } from './objects/dirtree.ts';
import { decodeArchiveHeader } from './objects/file-header.ts';
import { readConfig } from './repository/config.ts';
import { KeyFile } from './repository/key-file.ts';
import { inflateWhole } from './storage/archive.ts';
import { decodeSummary } from './summary/summary.ts';

type Read = (bytes: Buffer) => unknown;

const readFile: Read = (bytes) => {
  const { size, contentOffset } = decodeArchiveHeader(bytes, 'filez');
  return inflateWhole(bytes.subarray(contentOffset), size, 'filez');
};

const readConfiguration: Read = (bytes) => readConfig(KeyFile.parse(bytes.toString('latin1'), 'config'), 'config');

const readPart: Read = async (bytes) => {
  const { operations } = await decodePart(bytes, 'part');
  for (const operation of decodeOperations(operations, () => 'content')) assert.ok(operation.op);
};

/** By the ending of a file's name. */
const READERS: readonly (readonly [ending: string, read: Read])[] = [
  ['.commit', (bytes) => decodeCommit(bytes)],
  ['.dirtree', (bytes) => decodeDirTree(bytes)],
  ['.dirmeta', (bytes) => decodeDirMeta(bytes)],
  ['.commitmeta', (bytes) => decodeDetached(bytes, 'commitmeta')],
  ['.filez', readFile],
  ['.index', (bytes) => decodeDeltaIndex(bytes, 'index')],
  ['superblock', (bytes) => decodeSuperblock(bytes, 'superblock')],
  ['.delta', (bytes) => decodeSuperblock(bytes, 'delta')],
  ['summary', (bytes) => decodeSummary(bytes)],
  ['summary.sig', (bytes) => decodeDetached(bytes, 'summary.sig')],
  ['config', readConfiguration],
  ['/0', readPart],
];

/** Larger ones would only be slower: their beginning is what matters. */
const LARGEST = 128 * 1024;

interface Original {
  readonly name: string;
  readonly bytes: Buffer;
  readonly read: Read;
}

/** Every file that some reader is for, with that reader. */
export async function originals(test: Parameters<typeof unpackVector>[0]): Promise<readonly Original[]> {
  const repositories = (['archive', 'delta', 'signed'] satisfies VectorName[]).map((name) => unpackVector(test, name));
  const folders = [...repositories, join(VECTORS, 'deltas')];
  const files = folders.flatMap((folder) =>
    READERS.flatMap(([ending, read]) =>
      filesOf(folder, ending)
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile() && statSync(path).size <= LARGEST)
        .map((path) => ({ name: path.slice(folder.length + 1), bytes: readFileSync(path), read })),
    ),
  );
  return Promise.all(files.map(async (file) => (file.read === readPart ? unpacked(file) : file)));
}

/** A part as it would be without compression: damaged xz streams are the business of another test, and slow. */
async function unpacked(part: Original): Promise<Original> {
  assert.equal(part.bytes[0], XZ);
  const payload = await decompressXz(part.bytes.subarray(1), 2 ** 28);
  return {
    ...part,
    bytes: Buffer.concat([Buffer.of(PLAIN), payload]),
  };
}

/** Bytes that mean something here: offsets, types, endings. */
const INTERESTING = Buffer.from('\0\x01\x02\x04\x08\x10\x20\x7f\x80\xff()asyvutx{}', 'latin1');

/** @throws AssertionError naming file, seed and number of the first input that gives anything else */
export async function runMutations(
  files: readonly Original[],
  count: number,
  random: (below: number) => number,
): Promise<{ readonly values: number; readonly refused: number }> {
  // Every kind of file as often as the others, however many there are of it.
  const kinds = READERS.map(([, read]) => files.filter((file) => file.read === read)).filter((kind) => kind.length > 0);
  let values = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const kind = kinds[random(kinds.length)] ?? [];
    const file = kind[random(kind.length)];
    assert.ok(file !== undefined);
    const started = performance.now();
    try {
      await file.read(mutate(file.bytes, random, INTERESTING));
      values++;
    } catch (error) {
      assert.ok(error instanceof CodedError, `input ${i}, ${file.name}: ${String(error)}`);
      refused++;
    }
    if (i % 1000 === 0) await setImmediate(); // what was collected is given back between turns only
    const took = performance.now() - started;
    assert.ok(took < 10_000, `input ${i}, ${file.name}: ${took} ms`);
  }
  return { values, refused };
}
