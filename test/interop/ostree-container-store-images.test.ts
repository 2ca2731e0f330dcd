/** Stored images that are signed, deployed, written back and copied, judged by ostree, skopeo and umoci. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { listRefs } from '../../src/ostree/index.ts';
import { imageOf, newStore } from '../../src/ostree-container/store/store.fixture.ts';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { needs } from '../support/needs.ts';
import type { SampleEntry } from '../support/oci-image.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { fsck, runPull, stored, unverified } from './store-image.ts';

const peers = { skip: needs('ostree', 'root') };

describe('an image whose commit has to be signed', { skip: needs('ostree', 'gpg', 'root') }, () => {
  const setting = async (t: TestContext, derived: readonly (readonly SampleEntry[])[] = []) => {
    const home = gpgHome(t);
    const key = home.makeKey('signer', 'ed25519');
    const from = newStore(t, 'archive');
    const { commit } = await imageOf(t, { from });
    const unsigned = await imageOf(t, { from, commit, derived });
    await must('ostree', ['gpg-sign', `--repo=${from.path}`, `--gpg-homedir=${home.dir}`, commit, key]);
    const signed = await imageOf(t, { from, commit, derived });
    const commitmeta = join(from.path, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commitmeta`);
    const repo = newStore(t);
    const keyring = join(scratch(t), 'keys.gpg');
    writeFileSync(keyring, home.publicKeys());
    await must('ostree', [
      'remote',
      'add',
      `--repo=${repo.path}`,
      `--gpg-import=${keyring}`,
      'origin',
      'http://localhost',
    ]);
    return {
      unsigned: `ostree-remote-image:origin:${unsigned.name}`,
      signed: `ostree-remote-image:origin:${signed.name}`,
      plain: unverified(unsigned.name),
      repo,
      commitmeta,
    };
  };
  const codeOf = async (repo: string, reference: string, ...words: readonly string[]) => {
    const { status, stdout } = await runPull(repo, reference, ...words);
    return [status, (JSON.parse(stdout) as { code?: string }).code];
  };

  it('is stored when it is, and shows the program ostree the signature', async (t) => {
    const { signed, repo } = await setting(t);
    const { baseCommit } = await stored(repo.path, signed);
    await must('ostree', ['show', `--repo=${repo.path}`, '--gpg-verify-remote=origin', baseCommit ?? '']);
  });

  it('is refused when it is not, also when an earlier pull that asked nobody has stored it', async (t) => {
    const { unsigned, plain, repo } = await setting(t);
    assert.deepEqual(await codeOf(repo.path, unsigned), [3, 'COMMITMETA_MISSING']);
    assert.equal((await must('ostree', ['refs', `--repo=${repo.path}`])).stdout, '');
    await stored(repo.path, plain);
    assert.deepEqual(await codeOf(repo.path, unsigned), [3, 'COMMITMETA_MISSING']);
  });

  it('is stored when the signature was put into the image later', async (t) => {
    const { unsigned, repo, commitmeta } = await setting(t);
    const name = unsigned.replace('ostree-remote-image:origin:', '');
    const destination = `oci:${join(scratch(t), 'signed')}`;
    const words = ['container', 'image', 'replace-detached-metadata', '--src', name, '--dest', destination, commitmeta];
    const ended = await runOstreeContainer(words);
    assert.equal(ended.status, 0, ended.stderr);
    const { baseCommit } = await stored(repo.path, `ostree-remote-image:origin:${destination}`);
    await must('ostree', ['show', `--repo=${repo.path}`, '--gpg-verify-remote=origin', baseCommit ?? '']);
  });

  it('is refused with layers on top, unless they are allowed', async (t) => {
    const { signed, repo } = await setting(t, [[{ path: 'usr/x', content: 'x' }]]);
    assert.deepEqual(await codeOf(repo.path, signed), [3, 'LAYERS_UNSIGNED']);
    await stored(repo.path, signed, '--allow-unsigned-layers');
    assert.deepEqual(await codeOf(repo.path, signed), [3, 'LAYERS_UNSIGNED']);
  });
});

describe('a deployment', peers, () => {
  it('is the tree of the image with its own etc, and an origin that keeps the image', async (t) => {
    const sysroot = scratch(t);
    mkdirSync(join(sysroot, 'ostree'));
    await must('ostree', ['init', `--repo=${join(sysroot, 'ostree/repo')}`, '--mode=bare']);
    const { name } = await imageOf(t, { derived: [[{ path: 'etc/new', content: 'new' }]] });
    const words = [
      'container',
      'image',
      'deploy',
      '--sysroot',
      sysroot,
      '--imgref',
      unverified(name),
      '--stateroot',
      'os',
    ];
    const { status, stdout, stderr } = await runOstreeContainer(words);
    assert.equal(status, 0, stderr);
    const path = stdout.trim();
    assert.equal(readFileSync(join(path, 'etc/new'), 'utf8'), 'new');
    assert.equal(readFileSync(`${path}.origin`, 'utf8'), `[origin]\ncontainer-image-reference=${unverified(name)}\n`);
    assert.equal((await runOstreeContainer(words)).stdout.trim(), path);
    const prune = ['container', 'image', 'prune-images', '--sysroot', sysroot, '--full', '--json'];
    const pruned = JSON.parse((await runOstreeContainer(prune)).stdout) as { removed: string[]; kept: number };
    assert.deepEqual([pruned.removed, pruned.kept], [[], 1]);
    await fsck(join(sysroot, 'ostree/repo'));
  });
});

describe('a stored image that is written back', { skip: needs('skopeo', 'umoci', 'ostree', 'root') }, () => {
  it('is an image for skopeo and umoci, with the files that were stored', async (t) => {
    const { name } = await imageOf(t, { components: 2, derived: [[{ path: 'etc/new', content: 'new' }]] });
    const repo = newStore(t);
    await stored(repo.path, unverified(name));
    const layout = join(scratch(t), 'out');
    const words = ['container', 'image', 'reexport', '--repo', repo.path, name, `oci:${layout}:os`];
    const ended = await runOstreeContainer(words);
    assert.equal(ended.status, 0, ended.stderr);
    const copied = join(scratch(t), 'dir');
    await must('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${layout}:os`, `dir:${copied}`]);
    const bundle = join(scratch(t), 'bundle');
    await must('umoci', ['unpack', '--image', `${layout}:os`, bundle]);
    assert.equal(readFileSync(join(bundle, 'rootfs/etc/new'), 'utf8'), 'new');
    await must('ostree', ['fsck', '-q', `--repo=${join(bundle, 'rootfs/sysroot/ostree/repo')}`]);
  });
});

describe('a copy of a stored image', peers, () => {
  it('is the same in the other repository: refs, commits and objects', async (t) => {
    const { name } = await imageOf(t, { components: 2, derived: [[{ path: 'usr/x', content: 'x' }]] });
    const [from, into] = [newStore(t), newStore(t, 'archive')];
    await stored(from.path, unverified(name));
    const words = ['container', 'image', 'copy', '--src-repo', from.path, '--dest-repo', into.path, unverified(name)];
    assert.equal((await runOstreeContainer(words)).status, 0);
    assert.deepEqual(listRefs(from), listRefs(into));
    await fsck(into.path);
  });
});
