/** The deltas that the reference made, applied in every way. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import {
  unpackVector,
  VECTORS,
  type VectorEntry,
  vectorFiles,
  vectorManifest,
} from '../../../test/support/ostree-vectors.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { newRepository } from '../repository/repository.fixture.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { givenKeys } from '../signatures/given-keys.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { entriesOf } from '../vector-entries.fixture.ts';
import { decodeOperations } from './algorithms/operations.ts';
import { assertWhole, changed, SIGNAL } from './delta.fixture.ts';
import { type DeltaFile, openDelta, openDeltaPath } from './delta-file.ts';
import { deltaPath } from './names.ts';
import { applyOffline } from './offline.ts';
import { decodePart } from './part-payload.ts';
import { showDelta } from './show.ts';
import { unwrapSuperblock, wrapSuperblock } from './signed-superblock.ts';
import { deltaVerifier } from './store.ts';
import { decodeSuperblock, encodeSuperblock } from './superblock.ts';

/** What an independent decoder saw in them. */
interface Seen {
  readonly path?: string;
  readonly from?: string | null;
  readonly to?: string;
  readonly timestamp?: number;
  readonly metadata_keys?: readonly string[];
  readonly parts?: readonly SeenPart[];
}
interface SeenPart {
  readonly size: number;
  readonly usize: number;
  readonly objects: number;
  readonly op_counts: Readonly<Record<string, number>>;
  readonly modes: readonly (readonly number[])[];
  readonly xattr_sets: number;
  readonly payload: number;
  readonly ops_head: readonly (readonly (string | number)[])[];
}

const manifest = vectorManifest();
const seen = (manifest as unknown as { readonly deltas: Readonly<Record<string, Seen>> }).deltas;
const FROM = seen['from-to']?.from ?? '';
const TO = seen['from-to']?.to ?? '';

const FILES = join(VECTORS, 'deltas');
const fileOf = (name: string): string => join(FILES, `${name}.delta`);
const INLINE = readdirSync(FILES).filter((name) => name.endsWith('.delta'));

const WITHOUT_ROOT: readonly RepositoryMode[] = ['archive', 'bare-user'];

/** With the commit that the deltas begin with, made by the delta from nothing. */
async function withFirst(t: TestContext, mode: RepositoryMode): Promise<Repository> {
  const repository = newRepository(t, mode);
  const done = await applyOffline(repository, join(FILES, 'scratch-multi'), { signal: SIGNAL });
  assert.deepEqual([done.from, done.to, done.isNew, done.parts], [undefined, FROM, true, 3]);
  return repository;
}

async function assertFiles(repository: Repository, commit: string): Promise<void> {
  await assertWhole(repository, commit);
  const reader = objectsOf(repository);
  const { rootTree, rootMeta } = reader.commit(commit);
  const expected = manifest.commits[commit];
  assert.ok(expected !== undefined);
  const byPath = (a: VectorEntry, b: VectorEntry): number => (a.path < b.path ? -1 : 1);
  assert.deepEqual(entriesOf(reader, '/', rootTree, rootMeta).sort(byPath), [...vectorFiles(expected)].sort(byPath));
}

describe('a delta of the reference', () => {
  for (const mode of ['archive', 'bare-user', 'bare'] as const) {
    const options = { skip: WITHOUT_ROOT.includes(mode) ? false : needs('root') };
    it(`from nothing, in several files, makes its commit in a repository of mode ${mode}`, options, async (t) => {
      await assertFiles(await withFirst(t, mode), FROM);
    });
    for (const file of INLINE) {
      it(`${file} makes its commit in a repository of mode ${mode}`, options, async (t) => {
        const repository = await withFirst(t, mode);
        const done = await applyOffline(repository, join(FILES, file), { signal: SIGNAL });
        assert.deepEqual([done.from, done.to, done.isNew, done.parts, done.objects], [FROM, TO, true, 1, 9]);
        await assertFiles(repository, TO);
        assert.ok(objectsOf(repository).detached(TO).length > 0);
        assert.deepEqual(readdirSync(join(repository.path, 'state')), []);
        assert.equal((await applyOffline(repository, join(FILES, file), { signal: SIGNAL })).isNew, false);
      });
    }
  }

  it('with parts in files beside it makes its commit', async (t) => {
    const repository = await withFirst(t, 'archive');
    const path = join(unpackVector(t, 'delta'), deltaPath({ from: FROM, to: TO }));
    await applyOffline(repository, path, { signal: SIGNAL });
    await assertFiles(repository, TO);
  });

  it('that leaves a file to be fetched is refused by name, and nothing is written', async (t) => {
    const repository = newRepository(t);
    const path = join(unpackVector(t, 'delta'), deltaPath({ from: undefined, to: FROM }));
    const fallback = decodeSuperblock(readFileSync(join(path, 'superblock')), 'delta').fallbacks[0]?.checksum;
    await assert.rejects(applyOffline(repository, path, { signal: SIGNAL }), {
      code: 'DELTA_UNSUITABLE',
      subject: fallback,
    });
    assert.deepEqual(readdirSync(join(repository.path, 'objects')), []);
  });

  it('whose first commit is absent is refused by its name', async (t) => {
    const failure = applyOffline(newRepository(t), fileOf('inline-bsdiff'), { signal: SIGNAL });
    await assert.rejects(failure, { code: 'OBJECT_MISSING', subject: FROM });
  });

  for (const [name, expected] of Object.entries(seen)) {
    if (expected.to === undefined) continue;
    it(`${name} says what an independent decoder saw in it`, async (t) => {
      const file = openNamed(t, name, expected);
      t.after(() => file.close());
      const superblock = file.decode();
      const { parts, ...facts } = await showDelta(file);
      assert.deepEqual(
        { from: facts.from ?? null, to: facts.to, timestamp: facts.timestamp },
        { from: expected.from, to: expected.to, timestamp: expected.timestamp },
      );
      if (expected.metadata_keys !== undefined && name !== 'inline-none') {
        assert.deepEqual(
          superblock.metadata.map(([key]) => key),
          expected.metadata_keys,
        );
      }
      assert.equal(parts.length, expected.parts?.length);
      for (const [i, part] of (expected.parts ?? []).entries()) {
        const found = parts[i];
        assert.ok(found !== undefined);
        assert.deepEqual(
          [found.objects, found.size, found.uncompressedSize, found.modes, found.xattrs, found.dataSize],
          [part.objects, part.size, part.usize, part.modes.length, part.xattr_sets, part.payload],
        );
        const { openspliceclose: S = 0, open, write, setread, unsetread, close, bspatch } = found.operations;
        const counts = { S, o: open, r: setread, w: write, R: unsetread, c: close, B: bspatch };
        assert.deepEqual(
          Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
          Object.fromEntries(Object.entries(part.op_counts).filter(([, count]) => count > 0)),
        );
        assert.deepEqual(await firstOperations(file, i, part.ops_head.length), part.ops_head);
      }
    });
  }
});

function openNamed(t: TestContext, name: string, { from, to }: Seen): DeltaFile {
  if (name.startsWith('inline-')) return openDeltaPath(fileOf(name));
  if (name === 'scratch-multi') return openDeltaPath(join(FILES, name));
  const repository = openRepository(unpackVector(t, 'delta'));
  t.after(() => repository.close());
  const file = openDelta(repository, { from: from ?? undefined, to: to ?? '' });
  assert.ok(file !== undefined);
  return file;
}

/** In the words of the manifest: letter, then arguments in the order of the stream. */
async function firstOperations(file: DeltaFile, index: number, count: number): Promise<(string | number)[][]> {
  const superblock = file.decode();
  const { operations } = await decodePart(file.part(superblock, index), 'part');
  const kindOf = (at: number) => (superblock.parts[index]?.objects[at]?.type === 'file' ? 'content' : 'metadata');
  const words: (string | number)[][] = [];
  for (const each of decodeOperations(operations, kindOf)) {
    if (words.length === count) break;
    if (each.op === 'splice-metadata') words.push(['S', each.length, each.offset]);
    else if (each.op === 'splice-content') words.push(['S', each.mode, each.xattrs, each.size, each.offset]);
    else if (each.op === 'open') words.push(['o', each.mode, each.xattrs, each.size]);
    else if (each.op === 'write') words.push(['w', each.length, each.offset]);
    else if (each.op === 'set-source') words.push(['r', each.offset]);
    else if (each.op === 'bspatch') words.push(['B', each.offset, each.length]);
    else words.push([each.op === 'close' ? 'c' : 'R']);
  }
  return words;
}

describe('a superblock', () => {
  it('comes back byte for byte, in either byte order, signed or not', () => {
    const files = [...INLINE.map((name) => join(FILES, name)), join(FILES, 'scratch-multi/superblock')];
    for (const path of files) {
      const file = readFileSync(path);
      const { superblock, signatures } = unwrapSuperblock(file, path);
      const again = encodeSuperblock(decodeSuperblock(superblock, path));
      assert.deepEqual(Buffer.from(again), Buffer.from(superblock), path);
      const wrapped = signatures === undefined ? again : wrapSuperblock(again, signatures);
      assert.deepEqual(Buffer.from(wrapped), file, path);
    }
    assert.equal(files.length, 6);
  });

  it('is applied when one of the keys signed it, and refused before it is read when none did', async (t) => {
    const repository = await withFirst(t, 'archive');
    const keyOf = (n: number) =>
      deltaVerifier(givenKeys('ed25519', { texts: [publicKey(n)], files: [], folder: undefined }));
    const apply = (path: string, n?: number) =>
      applyOffline(repository, path, { signal: SIGNAL, verifier: n === undefined ? undefined : keyOf(n) });
    const signed = readFileSync(fileOf('signed-ed25519'));
    const forged = join(repository.path, 'forged');
    writeFileSync(forged, changed(signed, 300, Buffer.of((signed[300] ?? 0) ^ 1)));
    await assert.rejects(apply(forged, 0), { code: 'SIGNATURE_INVALID' });
    await assert.rejects(apply(fileOf('signed-ed25519'), 1), { code: 'SIGNATURE_INVALID' });
    await assert.rejects(apply(fileOf('inline-bsdiff'), 0), { code: 'SIGNATURE_MISSING' });
    repository.updateConfig((file) => file.set('core', 'sign-verify-deltas', 'true'));
    await assert.rejects(apply(fileOf('signed-ed25519')), { code: 'SIGNATURE_MISSING' });
    assert.equal(objectsOf(repository).has(TO, 'commit'), false);
    assert.equal((await apply(fileOf('signed-ed25519'), 0)).isNew, true);
  });
});

function publicKey(n: number): string {
  return readFileSync(join(VECTORS, `keys/ed25519-${n}.public`), 'latin1').trim();
}
