import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { string, variantOf } from '../../gvariant/index.ts';
import { generateSecretKey } from '../../trust/index.ts';
import { decodeDetached, ED25519_SIGNATURES, encodeDetached, signaturesOf } from '../objects/detached.ts';
import { createRepository, openRepository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { withTransaction } from '../storage/transaction.ts';
import { verifyCommit } from './commit-signatures.ts';
import { givenKeys } from './given-keys.ts';
import { inspectSignatures } from './inspect.ts';
import { addSignatures, removeSignatures, signCommit } from './sign.ts';
import { keyPath, keyText, REFS, signedRepository } from './signatures.fixture.ts';
import { ed25519Signer, gpgFileSigner, parseSecretKey, parseSecretKeys } from './signers.ts';

const { signal } = new AbortController();
const NONE: never[] = [];
const COMMIT = REFS['unsigned'] ?? '';
const secret = parseSecretKey(keyText('ed25519-0.secret'), 'it');
const gpg = (n: number) => gpgFileSigner({ name: `gpg-${n}`, bytes: readFileSync(keyPath(`gpg-${n}.sec.asc`)) }, {});
const given = (...texts: readonly string[]) => givenKeys('ed25519', { texts, files: NONE, folder: '/nonexistent' });

describe('signing a commit', () => {
  it('makes exactly the bytes that libostree makes with an ed25519 key', async (t) => {
    const repository = signedRepository(t, []);
    const commit = REFS['ed25519-one'] ?? '';
    const [made] = signaturesOf(objectsOf(repository).detached(commit), ED25519_SIGNATURES);
    const data = objectsOf(repository).metadata(commit, 'commit');
    assert.deepEqual(Buffer.from(await ed25519Signer(secret).sign(data)), made);
  });
  it('is verified by the key, kept beside everything else, and not done twice', async (t) => {
    const repository = signedRepository(t, [], 'gpg-0.pub.gpg');
    await withTransaction(repository, { signal }, async (tx) => {
      tx.writer.putNamedMetadata('commitmeta', COMMIT, encodeDetached([['note', variantOf(string, 'kept')]]));
    });
    const signers = [ed25519Signer(secret), await gpg(0)];
    assert.deepEqual(await signCommit(repository, COMMIT, signers, { signal }), { added: 2, present: 0 });
    assert.deepEqual(await signCommit(repository, COMMIT, signers, { signal }), { added: 0, present: 2 });
    assert.deepEqual(await signCommit(repository, COMMIT, [await gpg(1)], { signal }), { added: 1, present: 0 });
    const detached = objectsOf(repository).detached(COMMIT);
    assert.deepEqual(
      detached.map(([key]) => key),
      ['note', 'ostree.sign.ed25519', 'ostree.gpgsigs'],
    );
    const data = objectsOf(repository).metadata(COMMIT, 'commit');
    const reports = await inspectSignatures(repository, data, detached, { keyFolders: [] });
    assert.deepEqual(
      reports.map(({ kind, status }) => `${kind} ${status}`),
      ['gpg good', 'gpg unknown-key', 'ed25519 unknown-key'],
    );
    const verified = await verifyCommit(repository, COMMIT, given(keyText('ed25519-0.public')));
    assert.deepEqual(
      verified.map(({ status }) => status),
      ['good'],
    );
  });
  it('writes nothing in a dry run', async (t) => {
    const repository = signedRepository(t, []);
    const done = await signCommit(repository, COMMIT, [ed25519Signer(secret)], { signal, dryRun: true });
    assert.deepEqual([done, objectsOf(repository).detached(COMMIT)], [{ added: 1, present: 0 }, []]);
  });
  it('of two at once loses neither', async (t) => {
    const path = signedRepository(t, []).path;
    const keys = Array.from({ length: 4 }, () => generateSecretKey());
    await Promise.all(
      keys.map(async (key) => {
        const own = openRepository(path);
        await signCommit(own, COMMIT, [ed25519Signer(key)], { signal });
        own.close();
      }),
    );
    const repository = openRepository(path);
    t.after(() => repository.close());
    assert.equal(signaturesOf(objectsOf(repository).detached(COMMIT), ED25519_SIGNATURES).length, 4);
  });
  it('refuses one that is not there', async (t) => {
    const repository = signedRepository(t, []);
    const failure = signCommit(repository, 'ab'.repeat(32), [ed25519Signer(secret)], { signal });
    await assert.rejects(failure, { code: 'OBJECT_MISSING' });
  });
  it('of a parent repository writes into the repository itself', async (t) => {
    const parent = signedRepository(t, []);
    const path = join(scratch(t), 'child');
    createRepository(path, { mode: 'archive' });
    const before = openRepository(path);
    before.updateConfig((file) => file.set('core', 'parent', parent.path));
    before.close();
    const child = openRepository(path);
    t.after(() => child.close());
    await signCommit(child, COMMIT, [ed25519Signer(secret)], { signal });
    assert.equal(objectsOf(child).detached(COMMIT).length, 1);
    assert.equal(objectsOf(parent).detached(COMMIT).length, 0);
  });
});

describe('removing signatures', () => {
  it('takes those that are meant, and the key with the last of them', async (t) => {
    const repository = signedRepository(t, []);
    const other = generateSecretKey();
    await signCommit(repository, COMMIT, [ed25519Signer(secret), ed25519Signer(other)], { signal });
    const [first, second] = signaturesOf(objectsOf(repository).detached(COMMIT), ED25519_SIGNATURES);
    const remove = (which: readonly (Uint8Array | undefined)[], dryRun = false) =>
      removeSignatures(
        repository,
        COMMIT,
        {
          key: ED25519_SIGNATURES,
          isMeant: async (each) => which.some((one) => one !== undefined && Buffer.compare(one, each) === 0),
        },
        { signal, dryRun },
      );
    assert.equal(await remove([first], true), 1);
    assert.equal(await remove([first]), 1);
    assert.deepEqual(signaturesOf(objectsOf(repository).detached(COMMIT), ED25519_SIGNATURES), [second]);
    assert.equal(await remove([first]), 0);
    assert.equal(await remove([second]), 1);
    const path = join(repository.path, 'objects', COMMIT.slice(0, 2), `${COMMIT.slice(2)}.commitmeta`);
    assert.equal(readFileSync(path).length, 0);
  });
});

describe('signatures of a summary', () => {
  it('are made in the same form, beside those that are there', async () => {
    const data = Buffer.from('summary');
    const made = await addSignatures(data, [], [ed25519Signer(secret)]);
    const both = await addSignatures(data, made, [ed25519Signer(generateSecretKey())]);
    const read = decodeDetached(encodeDetached(both), 'summary.sig');
    assert.equal(signaturesOf(read, ED25519_SIGNATURES).length, 2);
    const [good] = signaturesOf(read, ED25519_SIGNATURES);
    assert.ok(secret.publicKey.verify(data, good ?? new Uint8Array()));
  });
});

describe('the text of secret keys', () => {
  const text = keyText('ed25519-0.secret');
  it('is one a line, as libostree keeps them', () => {
    assert.equal(parseSecretKeys(`\n${text}\n\n`, 'file').length, 1);
  });
  for (const [flaw, wrong] of [
    ['no key', '\n'],
    ['only the seed', Buffer.from(text, 'base64').subarray(0, 32).toString('base64')],
    [
      'another public half',
      Buffer.concat([Buffer.from(text, 'base64').subarray(0, 32), Buffer.alloc(32, 9)]).toString('base64'),
    ],
    ['something else', 'secret words'],
  ] as const) {
    it(`with ${flaw} is refused, and nothing of it is shown`, () => {
      assert.throws(
        () => parseSecretKeys(wrong, 'file'),
        (error: Error & { code?: string }) =>
          error.code === 'SECRET_KEY_MALFORMED' && (wrong.trim() === '' || !error.message.includes(wrong)),
      );
    });
  }
});
