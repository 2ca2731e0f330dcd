/** Making cosign signatures: a payload, its signature in an annotation, and a manifest around them. */

import { collect } from '../../base/bytes.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON,
  encodeConfig,
  encodeManifest,
  formatNamed,
  type ImageConfig,
  type ImageManifest,
  MEDIA,
  type NamedReference,
  parseConfig,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import type { SigstorePrivateKey } from '../../trust/index.ts';
import { ImagesError } from '../error.ts';
import type { ImageDestination } from '../ports.ts';
import { putReferrer } from './copy-sigstore.ts';
import {
  findSigstore,
  readTagged,
  type SignatureManifest,
  type SignaturePlace,
  signatureTag,
} from './find-sigstore.ts';
import { encodePayload } from './payload.ts';
import { annotateSignature, judgeSigstore, SIGSTORE_ARTIFACT_TYPE, SIGSTORE_PAYLOAD_TYPE } from './sigstore.ts';
import type { SigningStatement } from './simple.ts';

export interface SigstoreSigning {
  /** The place of `destination`, for what is there already. */
  readonly place: SignaturePlace;
  readonly destination: ImageDestination;
  readonly raw: RawManifest;
  /** With tag: what a host will ask for. */
  readonly identity: NamedReference;
  readonly key: SigstorePrivateKey;
  /** `referrers`: a manifest with the image as its subject, instead of one more layer under the tag. */
  readonly scheme: 'tag' | 'referrers';
  readonly statement: SigningStatement;
  readonly signal: AbortSignal;
}

/** A second signature by the same key for the same image and name is not added: undefined. */
export async function signSigstore(signing: SigstoreSigning): Promise<RawManifest | undefined> {
  if (await isSigned(signing)) return undefined;
  const { raw, identity, key, statement } = signing;
  const claim = { digest: raw.digest, creator: statement.creator, signedAtMs: statement.now?.getTime() };
  const payload = encodePayload(claim, formatNamed(identity), 'sigstore');
  const layer: Descriptor = {
    mediaType: SIGSTORE_PAYLOAD_TYPE,
    digest: digestOf(payload),
    size: payload.length,
    annotations: annotateSignature(key.sign(payload)),
  };
  await putBytes(signing, layer, payload);
  return signing.scheme === 'tag' ? putUnderTag(signing, layer) : putAsReferrer(signing, layer);
}

async function isSigned({ place, raw, identity, key, signal }: SigstoreSigning): Promise<boolean> {
  const name = formatNamed(identity);
  for await (const found of findSigstore(place, raw.digest, signal)) {
    if (typeof found === 'string') continue;
    const rule = (signed: NamedReference) => (formatNamed(signed) === name ? undefined : 'is another name');
    if ('accepted' in judgeSigstore(found, [key.publicKey], raw, rule)) return true;
  }
  return false;
}

async function putUnderTag(signing: SigstoreSigning, layer: Descriptor): Promise<RawManifest> {
  const { place, destination, raw, signal } = signing;
  const before = await existing(place, raw.digest, signal);
  const config = before === undefined ? NEW_CONFIG : await readConfig(place, before.manifest, signal);
  const bytes = encodeConfig({
    ...config,
    rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.digest] },
    history: [...(config.history ?? []), { created: '0001-01-01T00:00:00Z' }],
  });
  const about: Descriptor = { mediaType: MEDIA.ociConfig, digest: digestOf(bytes), size: bytes.length };
  await putBytes(signing, about, bytes);
  const manifest = imageManifest({
    config: about,
    layers: [...(before?.manifest.layers ?? []), layer],
    annotations: before?.manifest.annotations ?? {},
  });
  await destination.putSibling(signatureTag(raw.digest), manifest, signal);
  return manifest;
}

/** A manifest under the tag that is no signature manifest is not overwritten. */
async function existing(
  place: SignaturePlace,
  digest: Digest,
  signal: AbortSignal,
): Promise<SignatureManifest | undefined> {
  const tagged = await place.sibling(signatureTag(digest), signal);
  if (tagged === undefined) return undefined;
  const found = readTagged(tagged, digest);
  if (typeof found !== 'string') return found;
  throw new ImagesError('IMAGE_UNSUITABLE', found, { hint: 'delete what is under that tag, and sign again' });
}

const NEW_CONFIG: ImageConfig = {
  architecture: '',
  os: '',
  config: {},
  rootfs: { type: 'layers', diff_ids: [] },
};
const CONFIG_LIMIT = 2 ** 20;

async function readConfig(place: SignaturePlace, { config }: ImageManifest, signal: AbortSignal): Promise<ImageConfig> {
  const what = `config ${config.digest} of the signatures`;
  return parseConfig(await collect(place.readBlob(config, 0, signal), CONFIG_LIMIT, what));
}

async function putAsReferrer(signing: SigstoreSigning, layer: Descriptor): Promise<RawManifest> {
  const { destination, raw, signal } = signing;
  await putBytes(signing, EMPTY_DESCRIPTOR, EMPTY_JSON);
  const subject = { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length };
  const manifest = imageManifest({
    artifactType: SIGSTORE_ARTIFACT_TYPE,
    config: EMPTY_DESCRIPTOR,
    layers: [layer],
    subject,
    annotations: {},
  });
  await putReferrer(destination, manifest, signal);
  return manifest;
}

function imageManifest(
  fields: Pick<ImageManifest, 'config' | 'layers' | 'annotations'> & Partial<ImageManifest>,
): RawManifest {
  const bytes = encodeManifest({
    kind: 'image',
    mediaType: MEDIA.ociManifest,
    artifactType: undefined,
    subject: undefined,
    ...fields,
  });
  return rawManifest(bytes, MEDIA.ociManifest);
}

async function putBytes(
  { destination, signal }: SigstoreSigning,
  descriptor: Descriptor,
  bytes: Uint8Array,
): Promise<void> {
  if (await destination.hasBlob(descriptor, signal)) return;
  await destination.putBlob(
    descriptor,
    async function* (from) {
      yield bytes.subarray(from);
    },
    signal,
  );
}
