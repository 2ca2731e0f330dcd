/** Where cosign keeps the signatures of an image: in a manifest under a tag made of its digest, or among its referrers. */
import { collect } from '../../base/bytes.ts';
import { CodedError, explain } from '../../base/error.ts';
import {
  assertDigest,
  type Descriptor,
  type Digest,
  type ImageManifest,
  parseManifest,
  type RawManifest,
  rawManifest,
  splitDigest,
} from '../../oci/index.ts';
import type { ImageSource } from '../ports.ts';
import { SIGSTORE_ARTIFACT_TYPE, SIGSTORE_PAYLOAD_TYPE, type SigstoreSignature, signatureOf } from './sigstore.ts';

/** Of one image, in either place. Everybody who may push may add some. */
export const MOST_SIGNATURES = 128;
/** A payload has some hundred bytes; manifests as large as these are no signatures. */
const PAYLOAD_LIMIT = 128 * 1024;

export type SignaturePlace = Pick<ImageSource, 'readManifest' | 'readBlob' | 'sibling' | 'referrers'>;

export interface SignatureManifest {
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
}

/** `sha256-HEX.sig` */
export function signatureTag(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${algorithm}-${hex}.sig`;
}

/** What can be read, or why it cannot. The referrers are asked only when those under the tag did not do. */
export async function* findSigstore(
  place: SignaturePlace,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<SigstoreSignature | string> {
  let count = 0;
  for await (const found of signatureManifests(place, digest, signal)) {
    if (typeof found === 'string') {
      yield found;
      continue;
    }
    for (const layer of found.manifest.layers) {
      if (layer.mediaType !== SIGSTORE_PAYLOAD_TYPE) continue;
      if (++count > MOST_SIGNATURES) {
        yield `more than ${MOST_SIGNATURES} signatures: the rest is not looked at`;
        return;
      }
      yield await readSignature(place, layer, signal);
    }
  }
}

/** Manifests with signatures: the one under the tag, then the referrers. */
export async function* signatureManifests(
  place: SignaturePlace,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<SignatureManifest | string> {
  const tagged = await place.sibling(signatureTag(digest), signal);
  if (tagged !== undefined) yield readTagged(tagged, digest);
  const referrers = await place.referrers(digest, signal);
  const signatures = referrers.filter(({ artifactType }) => artifactType === SIGSTORE_ARTIFACT_TYPE);
  for (const descriptor of signatures.slice(0, MOST_SIGNATURES)) {
    const what = `signature manifest ${descriptor.digest}`;
    const { bytes } = await place.readManifest(descriptor.digest, signal);
    yield readManifest(what, bytes, descriptor, digest);
  }
}

/** What is under the tag. Only its place says whose signatures they are; each of them says it again. */
export function readTagged(raw: RawManifest, digest: Digest): SignatureManifest | string {
  return readManifest(`signatures under ${signatureTag(digest)}`, raw);
}

function readManifest(
  what: string,
  source: RawManifest | Uint8Array,
  descriptor?: Descriptor,
  subject?: Digest,
): SignatureManifest | string {
  try {
    const raw = source instanceof Uint8Array ? rawManifest(source, descriptor?.mediaType, descriptor?.digest) : source;
    const manifest = parseManifest(raw);
    if (manifest.kind === 'index') return `${what}: is an index`;
    if (subject !== undefined && manifest.subject?.digest !== subject) return `${what}: is about another image`;
    return { raw, manifest };
  } catch (error) {
    return unlessOurs(error, what);
  }
}

async function readSignature(
  place: SignaturePlace,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<SigstoreSignature | string> {
  const what = `signature ${layer.digest}`;
  const signature = signatureOf(layer);
  if (signature === undefined) return `${what}: has no signature in its annotations`;
  if (layer.size > PAYLOAD_LIMIT) return `${what}: larger than the limit of ${PAYLOAD_LIMIT} bytes`;
  const payload = await collect(place.readBlob(layer, 0, signal), PAYLOAD_LIMIT, what);
  try {
    assertDigest(what, payload, layer.digest, layer.size);
    return { payload, signature };
  } catch (error) {
    return unlessOurs(error, what);
  }
}

/** A damaged signature is one that does not count; what went wrong on the way to it is an error. */
function unlessOurs(error: unknown, what: string): string {
  if (error instanceof CodedError) return `${what}: ${explain(error)}`;
  throw error;
}
