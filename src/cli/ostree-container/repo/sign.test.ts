import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector, VECTORS, vectorManifest } from '../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../test/support/program.ts';
import { scratch } from '../../../../test/support/scratch.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const REFS = vectorManifest().signed.refs;
const UNSIGNED = REFS['unsigned'] ?? '';
const keyFile = (name: string): string => join(VECTORS, 'keys', name);
const keyText = (name: string): string => readFileSync(keyFile(name), 'latin1').trim();

function program(t: TestContext) {
  const repository = unpackVector(t, 'signed');
  const run = (command: string, ...words: readonly string[]) =>
    runNode(MAIN, ['repo', command, `--repo=${repository}`, ...words]);
  return { repository, run };
}

describe('repo sign', () => {
  it('signs, verifies and deletes', async (t) => {
    const { run } = program(t);
    const [secret, key] = [`--keys-file=${keyFile('ed25519-0.secret')}`, `--keys-file=${keyFile('ed25519-0.public')}`];
    const none = await run('sign', '--verify', key, 'unsigned');
    assert.deepEqual([none.status, none.stdout], [3, '']);
    const signed = await run('sign', secret, 'unsigned');
    assert.deepEqual(
      [signed.status, signed.stdout, signed.stderr],
      [0, '', `ostree-container: ${UNSIGNED}: 1 signature added\n`],
    );
    const again = JSON.parse((await run('sign', '--json', secret, 'unsigned')).stdout);
    assert.deepEqual([again.schema, again.added, again.present], ['ostree-container.repo-sign/1', 0, 1]);
    const verified = await run('sign', '--verify', key, 'unsigned');
    const line = `${UNSIGNED}: ed25519 signature by ${keyText('ed25519-0.public')}: good\n`;
    assert.deepEqual([verified.status, verified.stdout], [0, line]);
    const would = await run('sign', '--delete', '--dry-run', 'unsigned', keyText('ed25519-0.public'));
    assert.match(would.stderr, /1 signature would be deleted/);
    const other = JSON.parse((await run('sign', '-d', '--json', 'unsigned', keyText('ed25519-1.public'))).stdout);
    const gone = JSON.parse((await run('sign', '-d', '--json', 'unsigned', keyText('ed25519-0.public'))).stdout);
    assert.deepEqual([other.removed, gone.removed], [0, 1]);
    assert.equal((await run('sign', '--verify', key, 'unsigned')).status, 3);
  });
  it('takes a secret key from the command line, as the program ostree does, and warns', async (t) => {
    const { run } = program(t);
    const secret = keyText('ed25519-0.secret');
    const { status, stderr } = await run('sign', '-s', 'ed25519', 'unsigned', secret);
    assert.equal(status, 0);
    assert.match(stderr, /other users can see/);
    assert.ok(!stderr.includes(secret));
  });
  it('verifies what the program ostree signed, and refuses what it forged', async (t) => {
    const { run } = program(t);
    const key = keyText('ed25519-0.public');
    const statuses: Record<string, number | null> = {};
    for (const ref of ['ed25519-one', 'both', 'ed25519-other', 'forged', 'gpg-rsa'])
      statuses[ref] = (await run('sign', '--verify', ref, key)).status;
    assert.deepEqual(statuses, { 'ed25519-one': 0, both: 0, 'ed25519-other': 3, forged: 3, 'gpg-rsa': 3 });
  });
  it('takes lists of keys from a folder, and those revoked there away', async (t) => {
    const { run } = program(t);
    const folder = scratch(t);
    mkdirSync(join(folder, 'trusted.ed25519.d'));
    writeFileSync(join(folder, 'trusted.ed25519.d', 'key'), keyText('ed25519-0.public'));
    const verify = () => run('sign', '--verify', '--json', `--keys-dir=${folder}`, 'ed25519-one');
    const good = JSON.parse((await verify()).stdout);
    assert.deepEqual([good.signatures[0].status, good.signatures[0].key], ['good', keyText('ed25519-0.public')]);
    writeFileSync(join(folder, 'revoked.ed25519'), keyText('ed25519-0.public'));
    const refused = await verify();
    assert.deepEqual([refused.status, JSON.parse(refused.stdout).code], [3, 'SIGNATURE_INVALID']);
    assert.match(refused.stderr, /revoked key/);
  });
  it('refuses words that do not fit together', async (t) => {
    const { run } = program(t);
    for (const words of [
      ['unsigned'],
      ['--verify', '--delete', 'unsigned', 'x'],
      ['--keys-dir=/x', 'unsigned', 'x'],
      ['-s', 'spki', 'unsigned', 'x'],
      ['-s', 'dummy', 'unsigned', 'x'],
      [],
    ])
      assert.equal((await run('sign', ...words)).status, 2, words.join(' '));
  });
  it('with a key that is none fails, and leaves the commit as it is', async (t) => {
    const { run } = program(t);
    const failed = await run('sign', '--json', 'unsigned', 'bm9uZQ==');
    assert.deepEqual([failed.status, JSON.parse(failed.stdout).code], [1, 'SECRET_KEY_MALFORMED']);
    assert.match(
      (await run('sign', '--verify', 'unsigned', keyText('ed25519-0.public'))).stderr,
      /no ed25519 signature/,
    );
  });
});

describe('repo gpg-sign', () => {
  const SECRET = `--gpg-key-file=${keyFile('gpg-0.sec.asc')}`;

  it('signs with a key from a file once, and deletes by fingerprint or key id without any keyring', async (t) => {
    const { run } = program(t);
    const signed = await run('gpg-sign', SECRET, 'unsigned');
    assert.equal(signed.stderr, `ostree-container: ${UNSIGNED}: 1 signature added\n`);
    const again = JSON.parse((await run('gpg-sign', '--json', SECRET, 'unsigned', '8F3C3388DE8D8F0E')).stdout);
    assert.deepEqual([again.schema, again.added, again.present], ['ostree-container.repo-gpg-sign/1', 0, 1]);
    await run('gpg-sign', `--gpg-key-file=${keyFile('gpg-1.sec.asc')}`, 'unsigned');
    const removed: number[] = [];
    for (const id of ['1FA97BBC6F76DEC9', '831636F2EFD2C9A679AEEB1A8F3C3388DE8D8F0E', '0x491c8aecaab05c67'])
      removed.push(JSON.parse((await run('gpg-sign', '-d', '--json', 'unsigned', id)).stdout).removed);
    assert.deepEqual(removed, [0, 1, 1]);
  });
  it('opens a key with the first line of a passphrase file, and with no other', async (t) => {
    const openpgp = await import('openpgp');
    const folder = scratch(t);
    const { privateKey } = await openpgp.generateKey({ userIDs: { name: 'locked' }, passphrase: 'open sesame' });
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const { run } = program(t);
    const key = `--gpg-key-file=${at('key', privateKey)}`;
    const tries = [
      await run('gpg-sign', key, 'unsigned'),
      await run('gpg-sign', key, `--passphrase-file=${at('wrong', 'open barley\n')}`, 'unsigned'),
      await run('gpg-sign', key, `--passphrase-file=${at('empty', '\n')}`, 'unsigned'),
      await run('gpg-sign', key, `--passphrase-file=${at('right', 'open sesame\nmore\n')}`, 'unsigned'),
    ];
    assert.deepEqual(
      tries.map(({ status }) => status),
      [1, 1, 1, 0],
    );
  });
  it('refuses words that do not fit together', async (t) => {
    const { run } = program(t);
    for (const words of [
      ['unsigned'],
      [SECRET, '--gpg-homedir=/x', 'unsigned'],
      ['--passphrase-file=/x', 'unsigned', 'AB'],
      ['--delete', SECRET, 'unsigned', 'AB'],
    ])
      assert.equal((await run('gpg-sign', ...words)).status, 2, words.join(' '));
  });
});
