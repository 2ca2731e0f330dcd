/** What a copy has done, or would do. */
import type { Json } from '../../../base/json.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import {
  type CopyPlan,
  type CopyResult,
  formatImageName,
  type ImageDestination,
  type ImageSource,
  type PolicyVerdict,
} from '../../../images/index.ts';
import { verdictDocument } from '../../images/policy.ts';
import type { Context } from '../../program.ts';

const SCHEMA = 'ostree-container.image-copy/1';

interface Ends {
  readonly source: ImageSource;
  readonly destination: ImageDestination;
}

/** The digest is the one line on stdout. */
export function tellCopied(
  {
    manifest,
    sourceDigest,
    blobsCopied,
    blobsThere,
    bytesCopied,
    signatures,
  }: CopyResult & { readonly signatures: number },
  { source, destination }: Ends,
  verdict: PolicyVerdict | undefined,
  { output }: Context,
): void {
  const there = blobsThere === 0 ? '' : `, ${plural(blobsThere, 'blob')} there already`;
  const moved = `${plural(blobsCopied, 'blob')} copied (${formatBytes(bytesCopied)})${there}`;
  output.info(`${formatImageName(destination.name)}: ${moved}`);
  if (signatures > 0) output.info(`${plural(signatures, 'manifest')} with signatures of cosign taken along`);
  output.result(manifest.digest);
  output.document(SCHEMA, {
    ...places(source, destination),
    dryRun: false,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    sourceDigest,
    blobsCopied,
    blobsThere,
    bytes: bytesCopied,
    signatures,
    policy: verdictDocument(verdict),
  });
}

export function tellPlan(
  { digest, mediaType, blobs, bytes }: CopyPlan,
  { source, destination }: Ends,
  { output }: Context,
): void {
  const missing = blobs.filter(({ isThere }) => !isThere);
  for (const blob of missing) output.info(`would copy blob ${blob.digest} (${formatBytes(blob.size)})`);
  output.info(
    `would copy ${plural(missing.length, 'blob')}, ${formatBytes(bytes)}, of ${plural(blobs.length, 'blob')}`,
  );
  output.result(digest);
  output.document(SCHEMA, {
    ...places(source, destination),
    dryRun: true,
    digest,
    mediaType,
    bytes,
    blobs: blobs.map((blob) => ({ ...blob })),
  });
}

function places(source: ImageSource, destination: ImageDestination) {
  return { source: formatImageName(source.name), destination: formatImageName(destination.name) } satisfies Json;
}
