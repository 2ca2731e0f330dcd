import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import {
  type Descriptor,
  digestOf,
  encodeManifest,
  MEDIA,
  parseManifest,
  parseNamed,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { generateSigstoreKey, openSigstorePrivateKey, type SigstorePrivateKey } from '../../trust/index.ts';
import { parseImageName } from '../image-name.ts';
import { RAW, type SourceParts, source } from '../policy/policy.fixture.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import { copySigstoreSignatures } from './copy-sigstore.ts';
import { findSigstore, MOST_SIGNATURES, signatureTag } from './find-sigstore.ts';
import { encodePayload } from './payload.ts';
import { signSigstore } from './sign-sigstore.ts';
import { annotateSignature, SIGSTORE_ARTIFACT_TYPE, SIGSTORE_PAYLOAD_TYPE } from './sigstore.ts';
import { verifySigstore } from './verify-sigstore.ts';

const never = new AbortController().signal;
const NAME = 'docker://quay.io/team/app:1';
const TAG = signatureTag(RAW.digest);
const CONFIG = Buffer.from('{}');
const describeBlob = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

/** A place in memory, to be read and written. */
function place() {
  const blobs: Uint8Array[] = [];
  const siblings = new Map<string, RawManifest>();
  const referrers: Descriptor[] = [];
  const destination: ImageDestination = {
    name: parseImageName(NAME),
    layers: 'exact',
    holdsIndexes: true,
    manifestTypes: undefined,
    identity: parseNamed('quay.io/team/app:1'),
    hasBlob: async ({ digest }) => blobs.some((blob) => digestOf(blob) === digest),
    borrowBlob: async () => false,
    async putBlob(_descriptor, from) {
      for await (const chunk of from(0)) blobs.push(Uint8Array.from(chunk));
    },
    putManifest: async () => assert.fail('a referrer is put as one'),
    async putReferrer(raw) {
      const { artifactType } = parseManifest(raw);
      blobs.push(raw.bytes);
      referrers.push({ ...describeBlob(raw.mediaType, raw.bytes), artifactType });
    },
    putSimpleSignatures: async () => undefined,
    putSibling: async (tag, raw) => void siblings.set(tag, raw),
    finish: async () => undefined,
    close: async () => undefined,
  };
  return { blobs, siblings, referrers, destination, source: source(NAME, { blobs, siblings, referrers }) };
}

describe('signatures of cosign', () => {
  const keys: SigstorePrivateKey[] = [];
  before(async () => {
    for (let i = 0; i < 2; i++) {
      const { privatePem } = await generateSigstoreKey(Buffer.from(''));
      keys.push(await openSigstorePrivateKey(Buffer.from(privatePem), Buffer.from(''), 'key'));
    }
  });
  const key = (i: number): SigstorePrivateKey => keys[i] ?? assert.fail();
  const sign = (at: ReturnType<typeof place>, by: number, scheme: 'tag' | 'referrers', name = 'quay.io/team/app:1') =>
    signSigstore({
      place: at.source,
      destination: at.destination,
      raw: RAW,
      identity: parseNamed(name),
      key: key(by),
      scheme,
      statement: { creator: 'tako 0', now: new Date(0) },
      signal: never,
    });
  const verify = (from: ImageSource, ...by: readonly number[]) =>
    verifySigstore(
      from,
      RAW,
      by.map((each) => key(each).publicKey),
      never,
    );
  const payloadOf = (digest = RAW.digest): Uint8Array => encodePayload({ digest }, 'quay.io/team/app:1', 'sigstore');
  const layerOf = (payload: Uint8Array, by = 0, over = payload): Descriptor => ({
    ...describeBlob(SIGSTORE_PAYLOAD_TYPE, payload),
    annotations: annotateSignature(key(by).sign(over)),
  });
  const manifestOf = (layers: readonly Descriptor[], subject?: Descriptor): RawManifest =>
    rawManifest(
      encodeManifest({
        kind: 'image',
        mediaType: MEDIA.ociManifest,
        artifactType: subject === undefined ? undefined : SIGSTORE_ARTIFACT_TYPE,
        config: describeBlob(MEDIA.ociConfig, CONFIG),
        layers,
        subject,
        annotations: {},
      }),
    );
  const tagged = (raw: RawManifest, parts: SourceParts = {}): ImageSource =>
    source(NAME, { ...parts, siblings: new Map([[TAG, raw]]) });

  for (const scheme of ['tag', 'referrers'] as const) {
    it(`made by scheme ${scheme} are found, each once, by its own key`, async () => {
      const at = place();
      await assert.rejects(verify(at.source, 0), { code: 'SIGNATURE_MISSING' });
      assert.ok(await sign(at, 0, scheme));
      assert.equal(await sign(at, 0, scheme), undefined);
      assert.ok(await sign(at, 1, scheme));
      assert.ok(await sign(at, 0, scheme, 'quay.io/team/app:2'));
      assert.deepEqual(
        (await verify(at.source, 0)).map(({ identity }) => identity),
        ['quay.io/team/app:1', 'quay.io/team/app:2'],
      );
      assert.equal((await verify(at.source, 0, 1)).length, 3);
      assert.deepEqual((await verify(at.source, 1))[0]?.signedAt, new Date(0));
      assert.equal(at.siblings.size, scheme === 'tag' ? 1 : 0);
      assert.equal(at.referrers.length, scheme === 'tag' ? 0 : 3);
    });
  }

  it('are copied as they are, in both schemes', async () => {
    const [from, to] = [place(), place()];
    await sign(from, 0, 'tag');
    await sign(from, 1, 'referrers');
    assert.equal(await copySigstoreSignatures(from.source, to.destination, RAW.digest, never), 2);
    assert.deepEqual(to.siblings, from.siblings);
    assert.deepEqual(to.referrers, from.referrers);
    assert.equal((await verify(to.source, 0, 1)).length, 2);
    assert.equal(await copySigstoreSignatures(place().source, to.destination, RAW.digest, never), 0);
  });

  it('do not go over what is no signature manifest', async () => {
    const at = place();
    at.siblings.set(TAG, rawManifest(Buffer.from('{"schemaVersion":2,"manifests":[]}')));
    await assert.rejects(sign(at, 0, 'tag'), { code: 'IMAGE_UNSUITABLE' });
    await assert.rejects(copySigstoreSignatures(at.source, place().destination, RAW.digest, never), {
      code: 'SIGNATURE_INVALID',
    });
  });

  it('that are not true are refused, with the reason', async () => {
    const [payload, other] = [payloadOf(), payloadOf(`sha256:${'0'.repeat(64)}`)];
    const blobs = [payload, other];
    for (const [layer, reason] of [
      [layerOf(payload, 1), /not made by a key/],
      [layerOf(payload, 0, other), /not made by a key/],
      [layerOf(other), /is over sha256:0000/],
      [{ ...layerOf(payload), digest: digestOf(Buffer.from('absent')) }, /expected/],
      [{ ...layerOf(payload), annotations: {} }, /no signature in its annotations/],
      [{ ...layerOf(payload), annotations: { 'dev.cosignproject.cosign/signature': '%' } }, /no signature in its/],
      [{ ...layerOf(payload), size: 2 ** 20 }, /larger than the limit/],
    ] as const) {
      const refused = verify(tagged(manifestOf([layer]), { blobs }), 0);
      await assert.rejects(refused, { code: 'SIGNATURE_INVALID', message: reason });
    }
  });

  it('that are damaged or foreign do not hide a good one', async () => {
    const payload = payloadOf();
    const layers = [{ ...layerOf(payload), annotations: {} }, layerOf(payload, 1), layerOf(payload)];
    const foreign = describeBlob('application/vnd.dsse.envelope.v1+json', payload);
    assert.equal((await verify(tagged(manifestOf([foreign, ...layers]), { blobs: [payload] }), 0)).length, 1);
  });

  it('among the referrers count only for the image that they name', async () => {
    const payload = payloadOf();
    const elsewhere = describeBlob(MEDIA.ociManifest, Buffer.from('elsewhere'));
    const here = describeBlob(MEDIA.ociManifest, RAW.bytes);
    for (const [subject, isGood] of [
      [here, true],
      [elsewhere, false],
    ] as const) {
      const raw = manifestOf([layerOf(payload)], subject);
      const referrers = [{ ...describeBlob(raw.mediaType, raw.bytes), artifactType: SIGSTORE_ARTIFACT_TYPE }];
      const found = verify(source(NAME, { referrers, blobs: [payload, raw.bytes] }), 0);
      if (isGood) assert.equal((await found).length, 1);
      else await assert.rejects(found, { code: 'SIGNATURE_INVALID', message: /another image/ });
    }
  });

  it('in great number are looked at up to a limit', async () => {
    const payload = payloadOf();
    const layers = Array.from({ length: MOST_SIGNATURES + 5 }, () => layerOf(payload, 1));
    const found: unknown[] = [];
    for await (const each of findSigstore(tagged(manifestOf(layers), { blobs: [payload] }), RAW.digest, never)) {
      found.push(each);
    }
    assert.equal(found.length, MOST_SIGNATURES + 1);
    assert.match(String(found.at(-1)), /more than/);
  });

  it('are not read beyond what a payload may be', async () => {
    const payload = payloadOf();
    let served = 0;
    const endless: ImageSource = {
      ...tagged(manifestOf([layerOf(payload)])),
      async *readBlob() {
        for (;;) {
          served += 65_536;
          yield new Uint8Array(65_536);
        }
      },
    };
    await assert.rejects(verify(endless, 0), { code: 'TOO_LARGE' });
    assert.ok(served <= 4 * 65_536);
  });
});
