import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { unpackVector, VECTORS } from '../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../test/support/program.ts';
import { scratch } from '../../../../test/support/scratch.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const repo = (path: string, ...words: readonly string[]) => runNode(MAIN, ['repo', ...words, '--repo', path]);

/** Every name below, with its content where it is a file. */
function everythingBelow(path: string): ReadonlyMap<string, string> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return new Map(
    entries.map((each) => {
      const at = join(each.parentPath, each.name);
      return [at, each.isFile() ? readFileSync(at, 'latin1') : ''];
    }),
  );
}

async function withRemote(t: TestContext): Promise<string> {
  const path = unpackVector(t, 'delta');
  const { status, stderr } = await repo(path, 'remote', 'add', 'origin', 'https://example.com/');
  assert.equal(status, 0, stderr);
  return path;
}

describe('whoever may not write to a repository', { skip: needs('root', 'setpriv') }, () => {
  it('may do every dry run, and is told that nothing can be deleted otherwise', async (t) => {
    const path = unpackVector(t, 'delta');
    chmodSync(join(path, '..'), 0o755);
    const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const run = (...words: readonly string[]) => runNode(MAIN, ['repo', ...words, '--repo', path], { prefix });
    for (const words of [
      ['refs', '--create=new', 'test/main'],
      ['refs', '--delete', 'test/main'],
      ['summary', '--update'],
      ['delta', 'reindex'],
      ['delta', 'generate', '--empty', 'test/main'],
      ['prune'],
      ['config', 'set', 'core.fsync', 'false'],
      ['remote', 'add', 'new', 'https://example.com/'],
    ]) {
      const { status, stderr } = await run(...words, '--dry-run');
      assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    }
    const { status, stdout } = await run('prune', '--json');
    assert.deepEqual([status, JSON.parse(stdout).code], [1, 'REPOSITORY_READ_ONLY']);
  });
});

describe('a dry run', () => {
  it('of repo pull-local says what the pull then copies, and stores nothing', async (t) => {
    const source = unpackVector(t, 'delta');
    const path = join(scratch(t), 'repo');
    await repo(path, 'init', '--mode=archive');
    const before = everythingBelow(path);
    const words = ['pull-local', source, 'test/main', '--depth=-1', '--json'];
    const planned = JSON.parse((await repo(path, ...words, '--dry-run')).stdout);
    assert.deepEqual(everythingBelow(path), before);
    const pulled = JSON.parse((await repo(path, ...words)).stdout);
    assert.deepEqual([planned.schema, planned.dryRun, pulled.dryRun], [pulled.schema, true, false]);
    assert.equal(planned.refs[0].to, pulled.refs[0].to);
    assert.ok(planned.refs[0].isNew && planned.contentObjects > 0);
    assert.equal(planned.contentObjects, pulled.contentObjects);
    const again = JSON.parse((await repo(path, ...words, '--dry-run')).stdout);
    assert.deepEqual([again.refs[0].isNew, again.metadataObjects, again.contentObjects], [false, 0, 0]);
    const { stdout, stderr } = await repo(path, 'pull-local', source, 'test/main', '--dry-run');
    assert.equal(stdout, `test/main: ${planned.refs[0].to}: is here already\n`);
    assert.match(stderr, /would receive 0 metadata objects, 0 files\n/);
  });

  it('of repo pull-local refuses what the pull refuses', async (t) => {
    const path = unpackVector(t, 'delta');
    const { status, stderr } = await repo(path, 'pull-local', unpackVector(t, 'delta'), 'nope', '--dry-run');
    assert.equal(status, 1);
    assert.match(stderr, /no ref "nope"/);
  });

  it('of repo pull is possible for a remote on this machine', async (t) => {
    const source = unpackVector(t, 'delta');
    const path = join(scratch(t), 'repo');
    await repo(path, 'init', '--mode=archive');
    await repo(path, 'remote', 'add', '--no-gpg-verify', 'origin', `file://${source}`);
    const before = everythingBelow(path);
    const words = ['pull', 'origin', 'test/main', '--json'];
    const planned = JSON.parse((await repo(path, ...words, '--dry-run')).stdout);
    assert.deepEqual(everythingBelow(path), before);
    const pulled = JSON.parse((await repo(path, ...words)).stdout);
    assert.deepEqual([planned.dryRun, planned.bytes, planned.refs[0].isNew], [true, null, true]);
    assert.equal(planned.refs[0].to, pulled.refs[0].to);
    assert.equal((await repo(path, 'pull', 'origin', 'nope', '--dry-run')).status, 1);
    const { status, stderr } = await repo(path, 'pull', 'origin', 'test/main', '--subpath=/a', '--dry-run');
    assert.deepEqual([status, stderr.includes('--subpath needs a remote with an http address')], [1, true]);
  });

  it('of repo remote add refuses what the real one refuses, and writes nothing', async (t) => {
    const path = await withRemote(t);
    const before = everythingBelow(path);
    const add = (...words: readonly string[]) => repo(path, 'remote', 'add', '--dry-run', ...words);
    assert.equal((await add('bad name', 'https://example.com/')).status, 1);
    assert.equal((await add('origin', 'https://example.com/')).status, 1);
    assert.equal((await add('new', 'https://example.com/', '--set=a b=c')).status, 1);
    assert.equal((await add('new', 'https://example.com/')).stdout, '[remote "new"]\nurl=https://example.com/\n');
    const { schema, remote, added, dryRun } = JSON.parse((await add('new', 'https://example.com/', '--json')).stdout);
    assert.deepEqual([schema, remote, added, dryRun], ['ostree-container.repo-remote-add/1', 'new', false, true]);
    assert.deepEqual(everythingBelow(path), before);
  });

  it('of repo remote gpg-import names the keys, and makes no keyring', async (t) => {
    const path = await withRemote(t);
    const words = ['remote', 'gpg-import', 'origin', '-k', join(VECTORS, 'keys', 'gpg-0.pub.asc')];
    const { stdout } = await repo(path, ...words, '--dry-run');
    assert.equal(stdout, 'Would import 1 GPG key to remote "origin"\n');
    const would = JSON.parse((await repo(path, ...words, '--dry-run', '--json')).stdout);
    assert.equal(existsSync(join(path, 'origin.trustedkeys.gpg')), false);
    const { imported, dryRun } = JSON.parse((await repo(path, ...words, '--json')).stdout);
    assert.deepEqual([would.dryRun, dryRun], [true, false]);
    assert.deepEqual([would.imported, imported.length], [imported, 1]);
  });

  it('of repo remote add-cookie and delete-cookie leaves the cookies as they are', async (t) => {
    const path = await withRemote(t);
    const file = join(path, 'origin.cookies.txt');
    const add = ['remote', 'add-cookie', 'origin', 'example.com', '/', 'token', 'SECRET'];
    assert.match((await repo(path, ...add, '--dry-run')).stderr, /cookie token of remote origin would be added\n/);
    assert.equal(existsSync(file), false);
    assert.equal((await repo(path, ...add)).status, 0);
    const remove = ['remote', 'delete-cookie', 'origin', 'example.com', '/', 'token'];
    const { dryRun } = JSON.parse((await repo(path, ...remove, '--dry-run', '--json')).stdout);
    assert.deepEqual([dryRun, readFileSync(file, 'latin1').includes('SECRET')], [true, true]);
    assert.match((await repo(path, ...remove)).stderr, /cookie token of remote origin deleted\n/);
    assert.equal((await repo(path, ...remove, '--dry-run')).status, 1);
  });

  it('of repo checkout shows in its document', async (t) => {
    const path = unpackVector(t, 'delta');
    const target = join(scratch(t), 'target');
    const words = ['checkout', '-U', '--json', 'test/main', target];
    const would = JSON.parse((await repo(path, ...words, '--dry-run')).stdout);
    assert.deepEqual([would.dryRun, existsSync(target)], [true, false]);
    assert.equal(JSON.parse((await repo(path, ...words)).stdout).dryRun, false);
  });
});

describe('repo remote add', () => {
  it('leaves no remote without its keyring when a file of keys cannot be read', async (t) => {
    const path = await withRemote(t);
    const file = join(scratch(t), 'garbage');
    writeFileSync(file, 'garbage');
    assert.equal(
      (await repo(path, 'remote', 'add', 'other', 'https://example.com/', `--gpg-import=${file}`)).status,
      1,
    );
    assert.equal((await repo(path, 'remote', 'list')).stdout, 'origin\n');
  });
});

describe('what is asked for and cannot be', () => {
  for (const words of [
    ['summary', '--view', '--gpg-homedir=/x'],
    ['summary', '--view', '--passphrase-file=/x'],
    ['summary', '--view', '--sign-type=ed25519'],
    ['diff', './directory'],
  ]) {
    it(`is wrong usage: ${words.join(' ')}`, async (t) => {
      const path = unpackVector(t, 'delta');
      await repo(path, 'summary', '--update');
      assert.equal((await repo(path, ...words)).status, 2);
    });
  }
});

describe('counts', () => {
  it('of one thing are told in the singular', async (t) => {
    const path = unpackVector(t, 'delta');
    assert.match((await repo(path, 'summary', '--update')).stderr, /: listed 1 ref\n/);
    const key = join(VECTORS, 'keys', 'gpg-0.pub.asc');
    const added = await repo(path, 'remote', 'add', 'origin', 'https://example.com/', '--gpg-import', key);
    assert.match(added.stderr, /remote origin added with 1 key\n/);
  });
});
