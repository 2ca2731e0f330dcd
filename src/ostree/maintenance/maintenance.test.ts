import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { unpackVector, type VectorName } from '../../../test/support/ostree-vectors.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { HEAD } from '../repository/refs.ts';
import { createRepository, openRepository, type Repository } from '../repository/repository.ts';
import { resolveRevision } from '../repository/resolve.ts';
import { removeRef } from '../repository/write-refs.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { fsck } from './fsck.ts';
import { readInventory } from './inventory.ts';
import { prune } from './prune.ts';
import { openReadBack, readBack } from './read-back.ts';

const { signal } = new AbortController();
const skip = needs('root');

function vector(t: TestContext, name: VectorName): Repository {
  return opened(t, unpackVector(t, name));
}

function opened(t: TestContext, path: string): Repository {
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

function objectFiles(path: string): string[] {
  const objects = join(path, 'objects');
  return readdirSync(objects).flatMap((fanout) => readdirSync(join(objects, fanout)));
}

describe('fsck', () => {
  for (const name of [
    'archive',
    'bare',
    'bare-user',
    'bare-user-only',
    'bare-split-xattrs',
    'signed',
    'delta',
  ] as const) {
    it(`finds the vector ${name} sound, with threads and without`, {
      skip: name.startsWith('bare') && skip,
    }, async (t) => {
      const repository = vector(t, name);
      const options = { signal, all: true, unreachable: true };
      const alone = await fsck(repository, { ...options, threads: 0 });
      assert.deepEqual([alone.findings, alone.isSound], [[], true]);
      assert.equal(alone.objects, readInventory(repository).size - alone.partial);
      assert.deepEqual(await fsck(repository, { ...options, threads: 2 }), alone);
    });
  }
  it('reads what a parent repository has, and says what neither has', async (t) => {
    const parent = unpackVector(t, 'archive');
    const path = join(scratch(t), 'child');
    createRepository(path, { mode: 'archive' });
    appendFileSync(join(path, 'config'), `parent=${parent}\n`);
    const repository = opened(t, path);
    const sound = await fsck(repository, { signal });
    assert.ok(sound.isSound && sound.commits > 0 && sound.objects > 0);
    const [victim = ''] = readInventory(opened(t, parent)).of('dirmeta');
    rmSync(join(parent, 'objects', victim.slice(0, 2), `${victim.slice(2)}.dirmeta`));
    const { findings, isSound } = await fsck(repository, { signal });
    assert.deepEqual([isSound, findings.map(({ kind, subject }) => [kind, subject])], [false, [['missing', victim]]]);
  });
  it('stops at a corrupt object unless all are wanted', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const [checksum = ''] = readInventory(repository).of('dirmeta');
    writeFileSync(join(path, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.dirmeta`), 'garbage');
    const names = Array.from({ length: 1000 }, () => ({ checksum, type: 'dirmeta' as const }));
    const pool = openReadBack(objectsOf(repository), 0);
    assert.equal((await readBack(pool, names, { signal, stopAtCorrupt: false })).found.length, 1000);
    const { objects, found } = await readBack(pool, names, { signal, stopAtCorrupt: true });
    assert.ok(objects < 1000 && found.length === objects && found[0]?.kind === 'corrupt');
  });
  it('goes on after an object that is garbage, or a directory', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const files = [...readInventory(repository).of('file')];
    for (const [i, checksum] of files.entries()) {
      const file = join(path, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.filez`);
      rmSync(file);
      if (i % 2 === 0) mkdirSync(file);
      else writeFileSync(file, 'garbage');
    }
    const all = await fsck(repository, { signal, threads: 0, all: true });
    assert.equal(all.findings.length, files.length);
    assert.deepEqual([all.marked, all.removed], [[], []]);
  });
  it('warns of an index that tells of another superblock', async (t) => {
    const path = unpackVector(t, 'delta');
    for (const fanout of readdirSync(join(path, 'deltas')))
      for (const name of readdirSync(join(path, 'deltas', fanout)))
        if (name.includes('-')) appendFileSync(join(path, 'deltas', fanout, name, 'superblock'), 'x');
    const { findings, isSound } = await fsck(opened(t, path), { signal });
    assert.deepEqual([isSound, findings.map(({ kind, severity }) => [kind, severity])], [true, [['delta', 'warning']]]);
  });
  it('ends when it is interrupted', async (t) => {
    const aborted = AbortSignal.abort(new Error('stopped'));
    await assert.rejects(fsck(vector(t, 'archive'), { signal: aborted }), /stopped/);
  });
});

describe('prune', () => {
  it('takes the attributes of files along in bare-split-xattrs', { skip }, async (t) => {
    const path = unpackVector(t, 'bare-split-xattrs');
    const repository = opened(t, path);
    const sound = await prune(repository, { signal, refsOnly: true, depth: 0 });
    assert.ok(sound.deleted > 0);
    assert.ok((await fsck(repository, { signal, unreachable: true })).isSound);
    const links = objectFiles(path).filter((name) => name.endsWith('.file-xattrs-link')).length;
    assert.equal(links, objectFiles(path).filter((name) => name.endsWith('.file')).length);
    removeRef(repository, HEAD, 'test/main');
    await prune(repository, { signal, refsOnly: true });
    assert.deepEqual(objectFiles(path), []);
  });
  it('leaves the parent repository alone, and keeps what leads through it', async (t) => {
    const parent = unpackVector(t, 'archive');
    const before = objectFiles(parent).length;
    const path = join(scratch(t), 'child');
    createRepository(path, { mode: 'archive' });
    appendFileSync(join(path, 'config'), `parent=${parent}\n`);
    const result = await prune(opened(t, path), { signal, refsOnly: true });
    assert.deepEqual([result.total, result.deleted, objectFiles(parent).length], [0, 0, before]);
  });
  it('removes what a killed run was writing, and a dry run leaves it', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const [fanout = ''] = readdirSync(join(path, 'objects'));
    const unfinished = join(path, 'objects', fanout, '.new-0123456789ab-7');
    writeFileSync(unfinished, 'half');
    await prune(repository, { signal, refsOnly: true, dryRun: true });
    assert.ok(existsSync(unfinished));
    await prune(repository, { signal, refsOnly: true });
    assert.equal(existsSync(unfinished), false);
  });
  it('says in a dry run what it would do, and does that then', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const options = { signal, refsOnly: true, depth: 0 };
    const before = objectFiles(path);
    const told = await prune(repository, { ...options, dryRun: true });
    assert.deepEqual(objectFiles(path), before);
    assert.deepEqual(await prune(repository, options), told);
    assert.ok(told.deleted > 0 && told.freedBytes > 0);
    assert.equal((await prune(repository, options)).deleted, 0);
  });
  it('deletes a commit by name in a dry run as well, without deleting it', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const deleteCommit = resolveRevision(repository, 'test/main^');
    const told = await prune(repository, { signal, deleteCommit, dryRun: true });
    assert.ok(objectsOf(repository).has(deleteCommit, 'commit') && !repository.config.tombstoneCommits);
    assert.deepEqual(await prune(repository, { signal, deleteCommit }), told);
    assert.ok(!objectsOf(repository).has(deleteCommit, 'commit'));
    assert.ok(objectsOf(repository).has(deleteCommit, 'tombstone-commit') && repository.config.tombstoneCommits);
    const head = resolveRevision(repository, 'test/main');
    await assert.rejects(prune(repository, { signal, deleteCommit: head }), { code: 'REF_EXISTS' });
    await assert.rejects(prune(repository, { signal, deleteCommit }), { code: 'OBJECT_MISSING' });
  });
  it('keeps the mark of a commit that an interrupted pull goes on with, or that a ref waits for', async (t) => {
    const path = unpackVector(t, 'archive');
    const repository = opened(t, path);
    const [staged, lost] = ['11'.repeat(32), '22'.repeat(32)];
    for (const commit of [staged, lost]) writeFileSync(join(path, 'state', `${commit}.commitpartial`), '');
    mkdirSync(join(path, 'tmp/staging-x-y/11'), { recursive: true });
    writeFileSync(join(path, 'tmp/staging-x-y/11', `${staged.slice(2)}.commit`), '');
    await prune(repository, { signal });
    const isMarked = (commit: string): boolean => existsSync(join(path, 'state', `${commit}.commitpartial`));
    assert.deepEqual([isMarked(staged), isMarked(lost)], [true, false]);
    writeFileSync(join(path, 'state', `${lost}.commitpartial`), 'f');
    writeFileSync(join(path, 'refs/heads/waiting'), `${lost}\n`);
    const { danglingRefs } = await prune(repository, { signal });
    assert.deepEqual([isMarked(lost), danglingRefs], [true, ['waiting']]);
  });
  it('removes payload links that lead nowhere, and detached metadata of nobody', async (t) => {
    const path = unpackVector(t, 'archive');
    const [file = ''] = readInventory(opened(t, path)).of('file');
    mkdirSync(join(path, 'objects/00'), { recursive: true });
    const link = (digit: string): string => join(path, 'objects/00', `${digit.repeat(62)}.payload-link`);
    symlinkSync(`../${file.slice(0, 2)}/${file.slice(2)}.filez`, link('a'));
    symlinkSync(`../bb/${'b'.repeat(62)}.file`, link('b'));
    writeFileSync(join(path, 'objects/00', `${'c'.repeat(62)}.commitmeta`), '');
    await prune(opened(t, path), { signal });
    const beside = readdirSync(join(path, 'objects/00')).filter((name) => !name.endsWith('.filez'));
    assert.deepEqual(beside, [`${'a'.repeat(62)}.payload-link`]);
  });
});
