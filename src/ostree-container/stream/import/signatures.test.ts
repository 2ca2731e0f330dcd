import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector, VECTORS, vectorManifest } from '../../../../test/support/ostree-vectors.ts';
import {
  keyringVerifier,
  OstreeError,
  openRepository,
  type Repository,
  SignatureRefused,
  type SignatureReport,
  type Verifier,
} from '../../../ostree/index.ts';
import { exported, newRepository } from '../stream.fixture.ts';
import { contentsOf, endsWith, importInto, isUntouched, tampered, withDamage } from '../tampering.fixture.ts';
import { moreExactly } from './signature-refusal.ts';

const { refs: REFS } = vectorManifest().signed;

function keyring(...names: readonly string[]): Verifier {
  return keyringVerifier(names.map((name) => ({ name, bytes: readFileSync(join(VECTORS, 'keys', name)) })));
}
const TRUSTED = ['gpg-0.pub.gpg', 'gpg-1.pub.gpg'] as const;

async function signedStream(t: TestContext, ref: string): Promise<Buffer> {
  const repository = openRepository(unpackVector(t, 'signed'));
  t.after(() => repository.close());
  return exported(repository, REFS[ref] ?? assert.fail(`no ref ${ref}`));
}

async function assertNothingWritten(repository: Repository, work: () => Promise<void>): Promise<void> {
  const before = contentsOf(repository);
  await work();
  assert.deepEqual(contentsOf(repository), before);
  assert.ok(isUntouched(repository));
}

describe('an import that asks for signatures', () => {
  for (const ref of ['gpg-rsa', 'gpg-ed25519', 'gpg-two', 'both']) {
    it(`takes a commit that is signed as ${ref}, and tells by whom`, async (t) => {
      const repository = newRepository(t);
      const { commit, signatures } = await importInto(repository, await signedStream(t, ref), {
        verifier: keyring(...TRUSTED),
      });
      assert.equal(commit, REFS[ref]);
      assert.ok(signatures.some(({ status }) => status === 'good'));
    });
  }

  for (const [ref, code] of [
    ['unsigned', 'COMMITMETA_MISSING'],
    ['ed25519-one', 'SIGNATURE_MISSING'],
    ['gpg-untrusted', 'SIGNATURE_KEY_MISSING'],
    ['forged', 'SIGNATURE_INVALID'],
  ] as const) {
    it(`refuses a commit that is ${ref} with ${code}, and writes nothing`, async (t) => {
      const repository = newRepository(t);
      const stream = await signedStream(t, ref);
      await assertNothingWritten(repository, () =>
        assert.rejects(importInto(repository, stream, { verifier: keyring(...TRUSTED) }), { code }),
      );
    });
  }

  it('refuses whatever is signed when it has no key at all', async (t) => {
    const repository = newRepository(t);
    const stream = await signedStream(t, 'gpg-rsa');
    await assert.rejects(importInto(repository, stream, { verifier: keyring() }), { code: 'SIGNATURE_KEY_MISSING' });
  });

  it('refuses a stream whose signatures were removed or altered', async (t) => {
    const repository = newRepository(t);
    const stream = await signedStream(t, 'gpg-rsa');
    const verifier = keyring(...TRUSTED);
    const without = await tampered(stream, (piece) => (endsWith('.commitmeta')(piece) ? [] : piece));
    const altered = await tampered(stream, (piece) => (endsWith('.commitmeta')(piece) ? flipped(piece) : piece));
    await assertNothingWritten(repository, async () => {
      await assert.rejects(importInto(repository, without, { verifier }), { code: 'COMMITMETA_MISSING' });
      await assert.rejects(importInto(repository, altered, { verifier }), (error) => {
        assert.ok(error instanceof Error && 'code' in error);
        assert.match(String(error.code), /^(SIGNATURE_(INVALID|KEY_MISSING)|OBJECT_MALFORMED)$/);
        return true;
      });
    });
  });

  it('has judged them before anything else is read', async (t) => {
    const repository = newRepository(t);
    const stream = await signedStream(t, 'forged');
    const at = stream.indexOf('.commitmeta\0');
    const begun = stream.subarray(0, at + 4096);
    await assert.rejects(importInto(repository, begun, { verifier: keyring(...TRUSTED) }), {
      code: 'SIGNATURE_INVALID',
    });
  });

  it('takes anything when none are asked for', async (t) => {
    const repository = newRepository(t);
    const { commit, signatures } = await importInto(repository, await signedStream(t, 'forged'));
    assert.deepEqual([commit, signatures], [REFS['forged'], []]);
  });
});

/** Some byte in the middle: of the signature, as that is most of it. */
function flipped(piece: Parameters<typeof withDamage>[0]) {
  const at = Math.floor(piece.data.length / 2);
  const head = withDamage({ ...piece, data: piece.data.subarray(0, at) });
  return { ...piece, data: Buffer.concat([head.data, piece.data.subarray(at)]) };
}

describe('a signature that is refused', () => {
  const refused = (...statuses: readonly SignatureReport['status'][]) =>
    new SignatureRefused(
      'refused',
      {},
      statuses.map((status) => ({ ...REPORT, status })),
    );

  for (const [statuses, code] of [
    [['unknown-key'], 'SIGNATURE_KEY_MISSING'],
    [['revoked-key'], 'SIGNATURE_EXPIRED'],
    [['expired-key'], 'SIGNATURE_EXPIRED'],
    [['expired-signature', 'unknown-key'], 'SIGNATURE_EXPIRED'],
    [['bad', 'unknown-key'], 'SIGNATURE_INVALID'],
    [['unusable'], 'SIGNATURE_INVALID'],
    [[], 'SIGNATURE_INVALID'],
  ] as const) {
    it(`for ${statuses.join(' and ') || 'no known reason'} is ${code}`, () => {
      const error = moreExactly(refused(...statuses));
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, code);
    });
  }

  it('for another reason keeps its own error', () => {
    const error = new OstreeError('SIGNATURE_MISSING', 'none');
    assert.equal(moreExactly(error), error);
  });
});

const REPORT: SignatureReport = {
  kind: 'gpg',
  status: 'bad',
  key: undefined,
  keyId: undefined,
  userId: undefined,
  signedAt: undefined,
  expiresAt: undefined,
  keyExpiresAt: undefined,
  algorithm: 'rsa',
  reason: undefined,
};
