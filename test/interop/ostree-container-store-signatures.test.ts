/** Whose images and commits are stored: signatures of images with keys of cosign, and keys that ought not to count any more. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { decodeDetached, encodeDetached, GPG_SIGNATURES, withSignature } from '../../src/ostree/objects/detached.ts';
import { imageOf, newStore } from '../../src/ostree-container/store/store.fixture.ts';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { needs } from '../support/needs.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { fsck, runPull, stored, unverified } from './store-image.ts';

const refsOf = async (repo: string): Promise<string> => (await must('ostree', ['refs', `--repo=${repo}`])).stdout;

async function codeOf(repo: string, reference: string, ...words: readonly string[]) {
  const { status, stdout } = await runPull(repo, reference, ...words);
  return [status, (JSON.parse(stdout) as { code?: string }).code];
}

describe('an image that has to be signed with a key of cosign', { skip: needs('ostree', 'root') }, () => {
  const setting = async (t: TestContext) => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const folder = scratch(t);
    const passphrase = join(folder, 'passphrase');
    writeFileSync(passphrase, 'secret\n');
    const makeKey = async (name: string): Promise<string> => {
      const prefix = join(folder, name);
      const words = ['generate-sigstore-key', '--output-prefix', prefix, '--passphrase-file', passphrase];
      assert.equal((await runOstreeContainer(['image', ...words])).status, 0);
      return prefix;
    };
    const [ours, theirs] = [await makeKey('ours'), await makeKey('theirs')];
    const { name } = await imageOf(t, { components: 1, derived: [[{ path: 'usr/x', content: 'x' }]] });
    const push = async (tag: string, ...words: readonly string[]): Promise<string> => {
      const image = `${registry.host}/${tag}:v1`;
      const copy = ['image', 'copy', '--insecure-policy', '--dest-tls-verify=false', ...words];
      const ended = await runOstreeContainer([...copy, name, `docker://${image}`]);
      assert.equal(ended.status, 0, ended.stderr);
      return `ostree-image-signed:docker://${image}`;
    };
    const signing = (key: string): readonly string[] => [
      ...['--sign-by-sigstore-private-key', `${key}.private`, '--sign-passphrase-file', passphrase],
    ];
    const policy = join(folder, 'policy.json');
    const requirement = { type: 'sigstoreSigned', keyPath: `${ours}.pub` };
    const transports = { docker: { [registry.host]: [requirement] } };
    writeFileSync(policy, JSON.stringify({ default: [{ type: 'reject' }], transports }));
    const words = ['--insecure-skip-tls-verification', '--policy', policy];
    return { push, words, ours: signing(ours), theirs: signing(theirs), repo: newStore(t).path };
  };

  it('is stored, and who signed it is told', async (t) => {
    const { push, words, ours, repo } = await setting(t);
    const reference = await push('signed', ...ours);
    const ended = await runPull(repo, reference, ...words);
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stderr, /signed by sha256:[0-9a-f]{8}.*sigstore/);
    assert.equal((JSON.parse(ended.stdout) as { isNew: boolean }).isNew, true);
    assert.equal((await stored(repo, reference, ...words)).isNew, false);
    await fsck(repo);
  });

  it('is refused with the signature of another key, and with none, also when it is here already', async (t) => {
    const { push, words, ours, theirs, repo } = await setting(t);
    const [signed, other, unsigned] = [await push('signed', ...ours), await push('o', ...theirs), await push('u')];
    assert.equal((await codeOf(repo, other, ...words))[0], 3);
    assert.deepEqual(await codeOf(repo, unsigned, ...words), [3, 'SIGNATURE_MISSING']);
    assert.equal(await refsOf(repo), '');
    await stored(repo, signed, ...words);
    const before = await refsOf(repo);
    assert.deepEqual(await codeOf(repo, unsigned, ...words), [3, 'SIGNATURE_MISSING']);
    assert.equal(await refsOf(repo), before);
  });
});

describe('a commit in an image, signed with a key', { skip: needs('ostree', 'gpg', 'root') }, () => {
  it('that is expired, revoked or nobody knows is not stored, nor is it taken for signed when it is here', async (t) => {
    const home = gpgHome(t);
    const keys = {
      good: home.makeKey('good', 'rsa2048'),
      revoked: home.makeKey('revoked', 'rsa2048'),
      expired: home.makeKey('expired', 'rsa2048', '1d', '20200101T000000'),
      other: home.makeKey('other', 'rsa2048'),
    };
    const from = newStore(t, 'archive');
    const { commit } = await imageOf(t, { from });
    const file = (ending: string): string =>
      join(from.path, 'objects', commit.slice(0, 2), `${commit.slice(2)}.${ending}`);
    const signature = (key: string, clock?: string): Buffer => home.sign(readFileSync(file('commit')), key, [], clock);
    const signatures = {
      good: signature(keys.good),
      revoked: signature(keys.revoked),
      expired: signature(keys.expired, '20200101T010000'),
      other: signature(keys.other),
    };
    home.revoke(keys.revoked);
    const keyring = join(scratch(t), 'keys.gpg');
    writeFileSync(keyring, home.publicKeys(keys.good, keys.revoked, keys.expired));
    const found: Record<string, unknown> = {};
    for (const [name, bytes] of Object.entries(signatures)) {
      const detached = withSignature(decodeDetached(new Uint8Array(), 'none'), GPG_SIGNATURES, bytes);
      writeFileSync(file('commitmeta'), encodeDetached(detached));
      const image = await imageOf(t, { from, commit, components: 1 });
      const repo = newStore(t).path;
      const remote = ['remote', 'add', `--repo=${repo}`, `--gpg-import=${keyring}`, 'os', 'http://localhost'];
      await must('ostree', remote);
      const fresh = await codeOf(repo, `ostree-remote-image:os:${image.name}`);
      if (fresh[0] !== 0) assert.equal(await refsOf(repo), '');
      await stored(repo, unverified(image.name));
      found[name] = [fresh, await codeOf(repo, `ostree-remote-image:os:${image.name}`)];
    }
    const twice = (status: number, code?: string) => [
      [status, code],
      [status, code],
    ];
    assert.deepEqual(found, {
      good: twice(0),
      revoked: twice(3, 'SIGNATURE_EXPIRED'),
      expired: twice(3, 'SIGNATURE_EXPIRED'),
      other: twice(3, 'SIGNATURE_KEY_MISSING'),
    });
  });
});
