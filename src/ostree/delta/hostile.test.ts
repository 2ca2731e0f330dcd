/** Deltas that somebody made up: refused with a code, and the repository is as it was. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { compressXz } from '../../compression/index.ts';
import { array, byte, bytes, tuple, uint32, uint64, uint64be, vardict, variantOf } from '../../gvariant/index.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { COMMIT } from '../objects/commit.ts';
import { newRepository } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { encodeOperations, type Operation } from './algorithms/operations.ts';
import { assertWhole, commitTree, type MadeTree, noise, SIGNAL } from './delta.fixture.ts';
import { openDelta } from './delta-file.ts';
import { generateDelta } from './generate/generate.ts';
import { deltaPath } from './names.ts';
import { applyOffline } from './offline.ts';
import { decodePart, encodePayload, type PartPayload, PLAIN, XZ } from './part-payload.ts';
import { decodeSuperblock, encodeSuperblock, INLINE_PART, type Superblock } from './superblock.ts';

const BEFORE: MadeTree = { old: { content: noise(40_000, 1) }, 'd/b': { content: noise(20_000, 2) } };
const AFTER: MadeTree = {
  old: { content: Buffer.concat([noise(40_000, 1), Buffer.from('more')]) },
  'd/b': { content: noise(20_000, 2).map((byte, i) => (i % 50 === 0 ? byte + 1 : byte)) },
  'd/new': { content: Buffer.from('new') },
  link: { target: 'old' },
};

const needsXz = { skip: needs('xz') };

/** A delta in pieces that can be changed one by one. */
interface Pieces {
  readonly superblock: Superblock;
  readonly payload: PartPayload;
}

let good: Pieces;
let to: Checksum;

async function pieces(): Promise<Pieces> {
  const repository = newRepository({ after });
  const from = await commitTree(repository, BEFORE);
  to = await commitTree(repository, AFTER, { parent: from });
  await generateDelta(repository, { from, to }, { signal: SIGNAL, inline: true, compression: 'none' });
  const file = openDelta(repository, { from, to });
  assert.ok(file !== undefined);
  const superblock = file.decode();
  const payload = await decodePart(file.part(superblock, 0), 'part');
  file.close();
  return { superblock, payload };
}

/** The file of a delta with this one part, whose digest and size are right. */
function fileOf(superblock: Superblock, part: Uint8Array): Uint8Array {
  const path = `${deltaPath(superblock)}/0`;
  return encodeSuperblock({
    ...superblock,
    metadata: superblock.metadata.map(([key, value]) =>
      key === path
        ? ([key, variantOf(INLINE_PART, [part[0] ?? 0, part.subarray(1)] as const)] as const)
        : ([key, value] as const),
    ),
    parts: superblock.parts.map((each) => ({ ...each, digest: sha256(part), size: part.length })),
  });
}

function plain(payload: PartPayload): Uint8Array {
  return Buffer.concat([Uint8Array.of(PLAIN), encodePayload(payload)]);
}

function withOperations(operations: readonly Operation[], change: Partial<PartPayload> = {}): Uint8Array {
  return fileOf(good.superblock, plain({ ...good.payload, ...change, operations: encodeOperations(operations) }));
}

async function target(t: TestContext): Promise<Repository> {
  const repository = newRepository(t);
  await commitTree(repository, BEFORE);
  return repository;
}

/** Names of all objects and states. */
function stateOf(repository: Repository): string {
  const names = ['objects', 'refs', 'state', 'deltas'].flatMap((folder) => {
    const path = join(repository.path, folder);
    return readdirSync(repository.path).includes(folder)
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()
      : [];
  });
  return names.join('\n');
}

async function apply(t: TestContext, repository: Repository, file: Uint8Array): Promise<void> {
  const path = join(scratch(t), 'x.delta');
  writeFileSync(path, file);
  await applyOffline(repository, path, { signal: SIGNAL });
}

describe('a superblock that names no byte order', () => {
  it('and whose list of objects ends in the middle of one is malformed', async () => {
    const { superblock } = await pieces();
    const parts = array(tuple(uint32, bytes, uint64, uint64, bytes));
    const fallbacks = array(tuple(byte, bytes, uint64, uint64));
    const codec = tuple(vardict, uint64be, bytes, bytes, COMMIT, bytes, parts, fallbacks);
    const [, time, from, target, commit, related] = codec.decode(encodeSuperblock(superblock));
    const half = [0, Buffer.alloc(32), 10n, 10n, Buffer.alloc(50, 1)] as const;
    const file = codec.encode([[], time, from, target, commit, related, [half], []]);
    assert.throws(() => decodeSuperblock(file, 'half'), { code: 'DELTA_MALFORMED' });
  });
});

describe('a hostile delta', needsXz, () => {
  before(async () => {
    good = await pieces();
  });

  it('is one that was good before it was changed', async (t) => {
    const repository = await target(t);
    await apply(t, repository, fileOf(good.superblock, plain(good.payload)));
    await assertWhole(repository, to);
  });

  const open: Operation = { op: 'open', mode: 0, xattrs: 0, size: 10 };
  for (const [what, code, make] of [
    [
      'a part that is not what its digest says',
      'OBJECT_CORRUPT',
      () => {
        const { superblock, payload } = good;
        const parts = superblock.parts.map((part) => ({ ...part, digest: sha256(Buffer.from('x')) }));
        return encodeSuperblock({ ...superblock, parts, metadata: withPart(plain(payload)) });
      },
    ],
    ['fewer objects than are listed', 'DELTA_MALFORMED', () => withOperations([])],
    ['an object that is not closed', 'DELTA_MALFORMED', () => withOperations([...metadataFirst(), open])],
    [
      'a mode that is not in the table',
      'DELTA_MALFORMED',
      () => withOperations([...metadataFirst(), { ...open, mode: 99 }]),
    ],
    [
      'attributes that are not in the table',
      'DELTA_MALFORMED',
      () => withOperations([...metadataFirst(), { ...open, xattrs: 99 }]),
    ],
    [
      'the mode of a device',
      'DELTA_MALFORMED',
      () => withOperations([...metadataFirst(), open], { modes: [{ uid: 0, gid: 0, mode: 0o60644 }] }),
    ],
    [
      'a range outside of the data',
      'DELTA_MALFORMED',
      () => withOperations([{ op: 'splice-metadata', length: 9, offset: good.payload.data.length }]),
    ],
    [
      'a range at the end of all numbers',
      'DELTA_MALFORMED',
      () =>
        withOperations([{ op: 'splice-metadata', length: Number.MAX_SAFE_INTEGER, offset: Number.MAX_SAFE_INTEGER }]),
    ],
    [
      'an object of 2^53 - 1 bytes',
      'MIN_FREE_SPACE',
      () => withOperations([...metadataFirst(), { ...open, size: Number.MAX_SAFE_INTEGER }, { op: 'close' }]),
    ],
    [
      'a patch without a source',
      'DELTA_MALFORMED',
      () => withOperations([...metadataFirst(), open, { op: 'bspatch', offset: 0, length: 24 }]),
    ],
    [
      'a source that is not there',
      'OBJECT_MISSING',
      () => withOperations([...metadataFirst(), open, { op: 'set-source', offset: 0 }]),
    ],
    [
      'more bytes than announced',
      'DELTA_MALFORMED',
      () => withOperations([...metadataFirst(), open, { op: 'write', length: 11, offset: 0 }]),
    ],
    [
      'another content than that of its name',
      'OBJECT_CORRUPT',
      () => withOperations([...metadataFirst(), open, { op: 'write', length: 10, offset: 0 }, { op: 'close' }]),
    ],
    ['a close without an open', 'DELTA_MALFORMED', () => withOperations([{ op: 'close' }])],
    ['no parts at all', 'DELTA_MALFORMED', () => encodeSuperblock({ ...good.superblock, parts: [] })],
    [
      'another commit than that of its name',
      'OBJECT_CORRUPT',
      () => encodeSuperblock({ ...good.superblock, to: sha256(Buffer.from('x')) }),
    ],
    ['an unknown compression', 'DELTA_MALFORMED', () => fileOf(good.superblock, Buffer.from('gnot known'))],
  ] as const satisfies readonly (readonly [string, string, () => Uint8Array])[]) {
    it(`with ${what} is refused, and nothing of it stays`, async (t) => {
      const repository = await target(t);
      const untouched = stateOf(repository);
      await assert.rejects(apply(t, repository, make()), { code });
      assert.equal(stateOf(repository), untouched);
      assert.equal(objectsOf(repository).has(to, 'commit'), false);
    });
  }

  it('with a part that unpacks to more than a part may hold is refused long before', async (t) => {
    const repository = await target(t);
    const bomb = await compressXz(Buffer.alloc(64 * 2 ** 20), 1, SIGNAL);
    const streams = Buffer.concat([Uint8Array.of(XZ), ...Array.from({ length: 17 }, () => bomb)]);
    const started = performance.now();
    await assert.rejects(apply(t, repository, fileOf(good.superblock, streams)), { code: 'DELTA_MALFORMED' });
    assert.ok(performance.now() - started < 30_000);
  });

  it('with tens of thousands of parts and keys is decoded in time that grows with its bytes only', () => {
    const [part] = good.superblock.parts;
    assert.ok(part !== undefined);
    const many = Array.from({ length: 20_000 }, () => ({ ...part, objects: [] }));
    const value = variantOf(INLINE_PART, [PLAIN, new Uint8Array()] as const);
    const keys = many.map((_, i) => [`key ${i}`, value] as const);
    const file = encodeSuperblock({
      ...good.superblock,
      metadata: [...keys, ...good.superblock.metadata],
      parts: many,
    });
    const started = performance.now();
    const { parts } = decodeSuperblock(file, 'x');
    assert.deepEqual([parts.length, parts[0]?.inline?.length === part.inline?.length], [20_000, true]);
    assert.ok(performance.now() - started < 2000); // some 100 ms; in turn it would be 400 million comparisons
  });

  it('of 2 000 damaged ones is refused with a code, or does no harm', async (t) => {
    const random = seededRandom(7);
    const whole = Buffer.from(fileOf(good.superblock, plain(good.payload)));
    const part = Buffer.from(encodePayload(good.payload));
    const operations = Buffer.from(good.payload.operations);
    const forms = [
      () => mutate(whole, random, INTERESTING),
      () => fileOf(good.superblock, Buffer.concat([Uint8Array.of(PLAIN), mutate(part, random, INTERESTING)])),
      () => fileOf(good.superblock, plain({ ...good.payload, operations: mutate(operations, random, INTERESTING) })),
    ];
    const path = join(scratch(t), 'x.delta');
    const tried = { refused: 0, applied: 0 };
    let repository = await target(t);
    const untouched = stateOf(repository);
    for (let i = 0; i < 2000; i++) {
      writeFileSync(path, forms[i % forms.length]?.() ?? new Uint8Array());
      try {
        await applyOffline(repository, path, { signal: SIGNAL });
        await assertWhole(repository, to);
        tried.applied++;
        repository = await target(t);
      } catch (error) {
        assert.ok(error instanceof CodedError, `input ${i}: ${String(error)}`);
        tried.refused++;
        forget(repository);
      }
    }
    assert.equal(stateOf(repository), untouched);
    assert.ok(tried.refused > 1500 && tried.applied > 5, JSON.stringify(tried));
  });
});

/** Good objects of a refused delta wait for the next run, which would not look at the part again. */
function forget(repository: Repository): void {
  const tmp = join(repository.path, 'tmp');
  for (const name of readdirSync(tmp)) rmSync(join(tmp, name), { recursive: true });
}

const INTERESTING = Buffer.from('\0\x01\x02\x04\x08\x10\x20\x7f\x80\xffSowrRBc()', 'latin1');

function withPart(part: Uint8Array): Superblock['metadata'] {
  const path = `${deltaPath(good.superblock)}/0`;
  const value = variantOf(INLINE_PART, [part[0] ?? 0, part.subarray(1)] as const);
  return good.superblock.metadata.map(([key, held]) => [key, key === path ? value : held] as const);
}

/** The operations that make the metadata, as the good delta has them. */
function metadataFirst(): Operation[] {
  const operations: Operation[] = [];
  let offset = 0;
  for (const { type, checksum } of good.superblock.parts[0]?.objects ?? []) {
    if (type === 'file') break;
    const length = lengthOf(offset, checksum);
    operations.push({ op: 'splice-metadata', length, offset });
    offset += length;
  }
  return operations;
}

function lengthOf(offset: number, checksum: Checksum): number {
  const { data } = good.payload;
  for (let length = 1; offset + length <= data.length; length++) {
    if (sha256(data.subarray(offset, offset + length)) === checksum) return length;
  }
  return assert.fail('no such object in the data');
}
