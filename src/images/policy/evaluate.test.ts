import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { generateKey } from 'openpgp';
import { scratch } from '../../../test/support/scratch.ts';
import { parseNamed } from '../../oci/index.ts';
import {
  generateSigstoreKey,
  type OpenPgpSigner,
  openSigningKey,
  openSigstorePrivateKey,
  type SigstorePrivateKey,
} from '../../trust/index.ts';
import { encodePayload, signSimple } from '../signatures/index.ts';
import { evaluatePolicy, type PolicyVerdict } from './evaluate.ts';
import { ACCEPT, policyOf, RAW, REJECT, type SourceParts, source } from './policy.fixture.ts';

const never = new AbortController().signal;
const NAME = 'quay.io/team/app:1';

describe('an image under a policy', () => {
  const keys: { data: string; signer: OpenPgpSigner }[] = [];
  let cosign: SigstorePrivateKey;
  let cosignData = '';
  before(async () => {
    for (const name of ['one', 'two']) {
      const made = await generateKey({ userIDs: { name }, format: 'binary', date: new Date(Date.now() - 60_000) });
      const signer = await openSigningKey({ name, bytes: made.privateKey }, {});
      keys.push({ data: Buffer.from(made.publicKey).toString('base64'), signer });
    }
    const pair = await generateSigstoreKey(Buffer.from(''));
    cosign = await openSigstorePrivateKey(Buffer.from(pair.privatePem), Buffer.from(''), 'key');
    cosignData = Buffer.from(pair.publicPem).toString('base64');
  });
  const signedBy = (key: number, signedIdentity?: object) => ({
    type: 'signedBy',
    keyType: 'GPGKeys',
    keyData: keys[key]?.data,
    ...(signedIdentity && { signedIdentity }),
  });
  const sign = async (key: number, name = NAME, digest = RAW.digest): Promise<Uint8Array> => {
    const signer = keys[key]?.signer;
    assert.ok(signer);
    return signSimple(digest, parseNamed(name), signer, {});
  };
  const kept = (name: string): Uint8Array => {
    const payload = encodePayload({ digest: RAW.digest }, name, 'sigstore');
    const json = {
      mimeType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      payload: Buffer.from(payload).toString('base64'),
      annotations: { 'dev.cosignproject.cosign/signature': Buffer.from(cosign.sign(payload)).toString('base64') },
    };
    return Buffer.concat([Buffer.from('\0sigstore-json\n'), Buffer.from(JSON.stringify(json))]);
  };
  const judge = (
    policy: unknown,
    parts: SourceParts = {},
    { name = `docker://${NAME}`, requireSignature = false, now = new Date() } = {},
  ): Promise<PolicyVerdict> =>
    evaluatePolicy(
      policy === undefined ? undefined : policyOf(policy),
      source(name, parts),
      RAW,
      { now, requireSignature },
      never,
    );

  it('is judged by the narrowest scope, and by nothing else', async () => {
    const scopes = ['quay.io/team/app:1', 'quay.io/team/app', 'quay.io/team', 'quay.io', '*.io', ''];
    for (const [i, scope] of scopes.entries()) {
      const wider = scopes.slice(i + 1).map((each) => [each, [REJECT]]);
      const docker = Object.fromEntries([...wider, [scope, [ACCEPT]]]);
      const verdict = await judge({ default: [REJECT], transports: { docker } });
      assert.equal(verdict.scope, `docker:${scope === '' ? '""' : scope}`);
      await assert.rejects(judge({ default: [ACCEPT], transports: { docker: { ...docker, [scope]: [REJECT] } } }), {
        code: 'POLICY_REJECTED',
      });
    }
    assert.equal((await judge({ default: [ACCEPT], transports: { oci: { '': [REJECT] } } })).scope, 'default');
  });

  it('in the storage of podman is judged by where it lies, and signed under its name there', async () => {
    const stored = { driver: 'overlay', root: '/srv/store', named: parseNamed(NAME), id: undefined };
    const judgeStored = async (scopes: object, simple: readonly Uint8Array[] = []) => {
      const image = { ...source(`containers-storage:[overlay@/srv/store]${NAME}`, { simple }), stored };
      const policy = policyOf({ default: [REJECT], transports: { 'containers-storage': scopes } });
      return evaluatePolicy(policy, image, RAW, { now: new Date(), requireSignature: false }, never);
    };
    for (const scope of [`[overlay@/srv/store]${NAME}`, '[overlay@/srv/store]quay.io', '[/srv/store]']) {
      assert.equal((await judgeStored({ [scope]: [ACCEPT] })).scope, `containers-storage:${scope}`);
    }
    await assert.rejects(judgeStored({ '[vfs@/srv/store]': [ACCEPT] }), { code: 'POLICY_REJECTED' });
    await assert.rejects(judgeStored({ '[/srv/store]': [signedBy(0)] }), { code: 'SIGNATURE_MISSING' });
    const verdict = await judgeStored({ '[/srv/store]': [signedBy(0)] }, [await sign(0)]);
    assert.equal(verdict.signatures[0]?.identity, NAME);
    await assert.rejects(judgeStored({ '[/srv/store]': [signedBy(0)] }, [await sign(0, 'quay.io/other:1')]), {
      code: 'SIGNATURE_INVALID',
    });
  });

  it('with a signature that is asked for is accepted, and the verdict tells whose it was', async () => {
    const verdict = await judge({ default: [signedBy(0)] }, { simple: [await sign(1), await sign(0)] });
    assert.equal(verdict.decision, 'accepted');
    assert.deepEqual(verdict.requirements, ['signedBy']);
    const [signature] = verdict.signatures;
    assert.equal(signature?.kind, 'simple');
    assert.equal(signature?.key.slice(-16).length, 16);
    assert.equal(signature?.signer, 'one');
    assert.equal(signature?.identity, NAME);
    assert.ok(signature?.signedAt instanceof Date);
  });

  it('has to meet all requirements of the list', async () => {
    const both = { default: [signedBy(0), signedBy(1)] };
    assert.equal((await judge(both, { simple: [await sign(0), await sign(1)] })).signatures.length, 2);
    await assert.rejects(judge(both, { simple: [await sign(0)] }), { code: 'SIGNATURE_INVALID' });
    await assert.rejects(judge({ default: [ACCEPT, REJECT] }), { code: 'POLICY_REJECTED' });
  });

  it('without the signature that is asked for is refused: missing is not the same as invalid', async () => {
    const policy = { default: [signedBy(0)] };
    await assert.rejects(judge(policy), { code: 'SIGNATURE_MISSING' });
    await assert.rejects(judge(policy, { simple: [kept(NAME)] }), { code: 'SIGNATURE_MISSING' }); // another kind
    const tampered = Buffer.from(await sign(0));
    const at = tampered.indexOf('quay.io');
    tampered[at] = 'Q'.charCodeAt(0);
    for (const [bad, reason] of [
      [await sign(1), /unknown-key/],
      [tampered, /bad/],
      [Buffer.from('{}'), /bad/],
      [await sign(0, NAME, `sha256:${'0'.repeat(64)}`), /is over sha256:0000/],
      [await sign(0, 'quay.io/team/app:2'), /is for quay.io\/team\/app:2/],
      [await sign(0, 'quay.io/other/app:1'), /is for quay.io\/other\/app:1/],
      [Buffer.from('\0unheard-of\n{}'), /format/],
    ] as const) {
      await assert.rejects(judge(policy, { simple: [bad] }), { code: 'SIGNATURE_INVALID', message: reason });
    }
  });

  it('names scope, requirement and the reason of every signature when it is refused', async () => {
    const docker = { 'quay.io/team': [signedBy(0)] };
    const simple = [await sign(1), await sign(0, 'quay.io/team/app:2')];
    await assert.rejects(judge({ default: [REJECT], transports: { docker } }, { simple }), {
      message:
        /^quay\.io\/team\/app:1 \(sha256:.*docker:quay\.io\/team requires signedBy.*\(1\).*unknown-key.*\(2\).*app:2/,
      subject: /app:1/,
    });
  });

  it('is refused when its signature has the future in it, or the key is gone by now', async () => {
    const simple = [await sign(0)];
    const past = new Date(Date.now() - 7 * 86_400_000);
    await assert.rejects(judge({ default: [signedBy(0)] }, { simple }, { now: past }), { code: 'SIGNATURE_INVALID' });
  });

  it('is accepted by a sigstore signature that lies beside it, without another place being asked', async () => {
    const asked: string[] = [];
    const policy = { default: [{ type: 'sigstoreSigned', keyData: cosignData }] };
    const onAsk = (what: string) => void asked.push(what);
    const verdict = await judge(policy, { simple: [kept('quay.io/team/app:9'), kept(NAME)], onAsk });
    assert.equal(verdict.signatures[0]?.key, cosign.publicKey.keyId);
    assert.deepEqual(asked, ['simple']);
    await assert.rejects(judge(policy, { simple: [kept('quay.io/team/app:9')] }), { code: 'SIGNATURE_INVALID' });
    await assert.rejects(judge(policy, { simple: [await sign(0)] }), { code: 'SIGNATURE_MISSING' });
  });

  it('asks nobody for signatures where none is required', async () => {
    const onAsk = (what: string) => assert.fail(what);
    assert.equal((await judge({ default: [ACCEPT] }, { onAsk })).signatures.length, 0);
  });

  it('is refused by a requirement that cannot be evaluated, which is named', async () => {
    await assert.rejects(judge({ default: [{ type: 'sigstoreSigned', fulcio: {} }] }), {
      code: 'POLICY_REJECTED',
      message: /fulcio/,
    });
    const base = { type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } };
    await assert.rejects(judge({ default: [base] }), { code: 'POLICY_REJECTED', message: /signedBaseLayer/ });
  });

  it('without a policy is nobody’s decision, unless a signature is demanded', async () => {
    assert.equal((await judge(undefined)).decision, 'no-policy');
    await assert.rejects(judge(undefined, {}, { requireSignature: true }), { code: 'SIGNATURE_MISSING' });
  });

  it('that must be signed is not accepted by an entry that accepts anything', async () => {
    const demanded = { requireSignature: true };
    const simple = [await sign(0)];
    await assert.rejects(judge({ default: [ACCEPT] }, { simple }, demanded), { code: 'SIGNATURE_MISSING' });
    assert.equal((await judge({ default: [ACCEPT, signedBy(0)] }, { simple }, demanded)).signatures.length, 1);
  });

  it('is not signed under a name that nobody would accept', async () => {
    await assert.rejects(sign(0, 'quay.io/team/app'), { code: 'BAD_IMAGE_NAME' });
  });

  it('on the disk has no name: only an exact one can be asked for', async () => {
    const name = 'dir:/nowhere';
    const simple = [await sign(0)];
    await assert.rejects(judge({ default: [signedBy(0)] }, { simple }, { name }), { code: 'SIGNATURE_INVALID' });
    const exact = { type: 'exactReference', dockerReference: NAME };
    assert.equal((await judge({ default: [signedBy(0, exact)] }, { simple }, { name })).signatures.length, 1);
  });

  it('is not judged by keys that cannot be read, or that others may change', async (t) => {
    const dir = scratch(t);
    const file = join(dir, 'ring.gpg');
    const policy = { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: file }] };
    const simple = [await sign(0)];
    await assert.rejects(judge(policy, { simple }), { code: 'BAD_POLICY' });
    writeFileSync(file, 'nonsense');
    await assert.rejects(judge(policy, { simple }), { code: 'BAD_POLICY' });
    writeFileSync(file, Buffer.from(keys[0]?.data ?? '', 'base64'));
    assert.equal((await judge(policy, { simple })).signatures.length, 1);
    chmodSync(file, 0o666);
    await assert.rejects(judge(policy, { simple }), { code: 'UNSAFE_OWNER' });
    await assert.rejects(judge({ default: [{ type: 'sigstoreSigned', keyData: 'YQ==' }] }), { code: 'BAD_POLICY' });
  });
});
