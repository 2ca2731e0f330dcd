/** Configurations, which are small documents, read whole. */
import { type Descriptor, DigestCheck, MANIFEST_LIMIT, OciError } from '../../oci/index.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageSource } from '../ports.ts';

/** Verified. @throws OciError TOO_LARGE, INVALID_SIZE, INVALID_DIGEST */
export async function readImageConfig(
  source: ImageSource,
  { digest, size, ...rest }: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const what = `configuration of ${formatImageName(source.name)}`;
  if (size > MANIFEST_LIMIT) {
    throw new OciError('TOO_LARGE', `${what}: larger than the limit of ${MANIFEST_LIMIT} bytes`, { subject: digest });
  }
  const check = new DigestCheck(what, digest, size);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.readBlob({ digest, size, ...rest }, 0, signal)) {
    check.update(chunk);
    chunks.push(Buffer.from(chunk));
  }
  check.finish();
  return Buffer.concat(chunks);
}
