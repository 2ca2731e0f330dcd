/** Taking the cosign signatures of an image along: they stay true, because they name its digest. */
import type { Digest, RawManifest } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import type { ImageDestination } from '../ports.ts';
import { keepsNoSignatures } from '../transports/files.ts';
import { type SignaturePlace, signatureManifests, signatureTag } from './find-sigstore.ts';

/** @throws ImagesError TRANSPORT_UNSUPPORTED where it would not be found again */
export async function putReferrer(destination: ImageDestination, raw: RawManifest, signal: AbortSignal): Promise<void> {
  if (destination.putReferrer === undefined) throw keepsNoSignatures(destination.name);
  await destination.putReferrer(raw, signal);
}

/** Exact bytes of their manifests. What cannot be read is refused, so that nobody believes it to be there. @returns how many manifests */
export async function copySigstoreSignatures(
  source: SignaturePlace,
  destination: ImageDestination,
  digest: Digest,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for await (const found of signatureManifests(source, digest, signal)) {
    if (typeof found === 'string') throw new ImagesError('SIGNATURE_INVALID', found);
    const { raw, manifest } = found;
    for (const descriptor of [manifest.config, ...manifest.layers]) {
      if (await destination.hasBlob(descriptor, signal)) continue;
      await destination.putBlob(descriptor, (from) => source.readBlob(descriptor, from, signal), signal);
    }
    if (manifest.subject?.digest === digest) await putReferrer(destination, raw, signal);
    else await destination.putSibling(signatureTag(digest), raw, signal);
    count++;
  }
  return count;
}
