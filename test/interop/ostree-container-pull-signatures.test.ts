/** Whose commits are taken out of images of the seed layout. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { assertNoLitter, contentsOf, refsOf } from '../e2e/ostree-place.ts';
import { needs } from '../support/needs.ts';
import { unpackVector, VECTORS, vectorManifest } from '../support/ostree-vectors.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { built, emptyRepository, pulled, pullRefusal } from './seed-place.ts';

async function assertSound(repo: string): Promise<void> {
  await must('ostree', ['fsck', `--repo=${repo}`]);
  assertNoLitter(repo);
}

describe('signatures of a commit in an image', { skip: needs('ostree', 'gpg') }, () => {
  const REFS = vectorManifest().signed.refs;
  const KEY = join(VECTORS, 'keys', 'gpg-0.pub.gpg');

  for (const [what, ref, expected] of [
    ['by a trusted key is accepted', 'gpg-rsa', [0, '']],
    ['by one trusted and one other key is accepted', 'gpg-two', [0, '']],
    ['by another key is refused', 'gpg-untrusted', [3, 'SIGNATURE_KEY_MISSING']],
    ['that is missing is refused', 'unsigned', [3, 'COMMITMETA_MISSING']],
    ['that was made over something else is refused', 'forged', [3, 'SIGNATURE_INVALID']],
  ] as const) {
    for (const format of ['seed', 'v1']) {
      it(`${what}, before anything is written: ${format}`, async (t) => {
        const folder = scratch(t);
        const source = unpackVector(t, 'signed');
        const image = join(folder, 'image:v1');
        const words = ['--format', format, '--no-webserver', '--oci-dir', image];
        await built({ repo: source }, ['--ref', REFS[ref] ?? '', ...words]);
        const repo = await emptyRepository(join(folder, 'repo'), 'archive');
        const before = contentsOf(repo);
        assert.deepEqual(await pullRefusal(repo, ['--gpg-keyring', KEY, `oci:${image}`]), expected);
        if (expected[0] === 0) await assertSound(repo);
        else assert.deepEqual(contentsOf(repo), before);
      });
    }
  }

  it('is judged when a delta brings the commit as well, which is not signed itself', async (t) => {
    const folder = scratch(t);
    const home = gpgHome(t);
    const key = home.makeKey('signer@example.com', 'ed25519');
    mkdirSync(join(folder, 'tree'));
    const source = await emptyRepository(join(folder, 'source'), 'archive');
    const sign = [`--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`];
    const commit = ['commit', `--repo=${source}`, '-b', 'os/main', ...sign, join(folder, 'tree')];
    writeFileSync(join(folder, 'tree/same'), randomBytes(200_000));
    await must('ostree', commit);
    await built({ repo: source }, ['--ref', 'os/main', '--no-webserver', '--oci-dir', join(folder, 'image:v1')]);
    writeFileSync(join(folder, 'tree/file'), 'second');
    await must('ostree', commit);
    const delta = ['--static-delta', 'os/main^', '--no-webserver', '--oci-dir', join(folder, 'image:v2')];
    await built({ repo: source }, ['--ref', 'os/main', ...delta]);
    writeFileSync(join(folder, 'key.gpg'), home.publicKeys(key));
    writeFileSync(join(folder, 'other.gpg'), home.publicKeys(home.makeKey('other@example.com', 'ed25519')));
    const repo = await emptyRepository(join(folder, 'repo'), 'bare');
    const take = (keys: string, tag: string) => [
      ...['--json', '--gpg-keyring', join(folder, keys), `oci:${join(folder, `image:${tag}`)}`],
    ];
    await pulled(repo, take('key.gpg', 'v1'));
    assert.deepEqual(await pullRefusal(repo, take('other.gpg', 'v2')), [3, 'SIGNATURE_KEY_MISSING']);
    const { bytes, verified } = JSON.parse((await pulled(repo, take('key.gpg', 'v2'))).stdout);
    assert.equal(verified, true);
    assert.ok(bytes < 50_000, `${bytes} bytes`);
    await assertSound(repo);
  });

  it('by a key that was revoked is refused; an unknown remote is an error of its own', async (t) => {
    const folder = scratch(t);
    const home = gpgHome(t);
    const key = home.makeKey('signer@example.com', 'ed25519');
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree/file'), 'content');
    const source = await emptyRepository(join(folder, 'source'), 'archive');
    const sign = [`--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`];
    await must('ostree', [`--repo=${source}`, 'commit', '-b', 'os/main', '-s', 's', ...sign, join(folder, 'tree')]);
    const image = join(folder, 'image:v1');
    await built({ repo: source }, ['--ref', 'os/main', '--no-webserver', '--oci-dir', image]);
    const repo = await emptyRepository(join(folder, 'repo'), 'archive');
    home.revoke(key);
    writeFileSync(join(folder, 'revoked.gpg'), home.publicKeys(key));
    const revoked = ['--gpg-keyring', join(folder, 'revoked.gpg'), `oci:${image}`];
    assert.deepEqual(await pullRefusal(repo, revoked), [3, 'SIGNATURE_EXPIRED']);
    assert.deepEqual(await pullRefusal(repo, ['--remote', 'nobody', `oci:${image}`]), [1, 'REMOTE_UNKNOWN']);
    assert.deepEqual(refsOf(repo), {});
  });

  it('by a key that has expired since is refused', async (t) => {
    const folder = scratch(t);
    const home = gpgHome(t);
    const key = home.makeKey('signer@example.com', 'ed25519', 'never', '20240101T000000');
    mkdirSync(join(folder, 'tree'));
    const source = await emptyRepository(join(folder, 'source'), 'archive');
    const sign = [`--gpg-sign=${key}`, `--gpg-homedir=${home.dir}`];
    await must('ostree', [`--repo=${source}`, 'commit', '-b', 'os/main', ...sign, join(folder, 'tree')]);
    const image = join(folder, 'image:v1');
    await built({ repo: source }, ['--ref', 'os/main', '--no-webserver', '--oci-dir', image]);
    const repo = await emptyRepository(join(folder, 'repo'), 'archive');
    const before = contentsOf(repo);
    home.gpg(['--batch', '--quick-set-expire', key, '1d'], { at: '20240201T000000' });
    writeFileSync(join(folder, 'expired.gpg'), home.publicKeys(key));
    const expired = ['--gpg-keyring', join(folder, 'expired.gpg'), `oci:${image}`];
    assert.deepEqual(await pullRefusal(repo, expired), [3, 'SIGNATURE_EXPIRED']);
    assert.deepEqual(contentsOf(repo), before);
  });

  it('is asked for by name of a remote also where its configuration switches that off', async (t) => {
    const folder = scratch(t);
    const source = unpackVector(t, 'signed');
    const image = join(folder, 'image:v1');
    await built({ repo: source }, ['--ref', REFS['unsigned'] ?? '', '--no-webserver', '--oci-dir', image]);
    const repo = await emptyRepository(join(folder, 'repo'), 'archive');
    appendFileSync(join(repo, 'config'), '\n[remote "origin"]\nurl=https://example.com\ngpg-verify=false\n');
    copyFileSync(KEY, join(repo, 'origin.trustedkeys.gpg'));
    assert.deepEqual(await pullRefusal(repo, ['--remote', 'origin', `oci:${image}`]), [3, 'COMMITMETA_MISSING']);
  });
});
