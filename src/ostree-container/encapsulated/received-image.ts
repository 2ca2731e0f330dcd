/** The image that a reference names, admitted, and what of it has to be fetched. */
import { chooseImage, formatImageName, type ImageSource, readImageConfig } from '../../images/index.ts';
import { type Platform, parseConfig, type RawManifest } from '../../oci/index.ts';
import {
  decodeCommit,
  explicitPolicy,
  isWhole,
  type ObjectReader,
  OstreeError,
  objectsOf,
  type Repository,
  remotePolicy,
  type SignatureReport,
  type Verifier,
} from '../../ostree/index.ts';
import type { LayerRecords } from '../fetching/index.ts';
import type { Layer } from '../labels/index.ts';
import type { OstreeReference, Trust } from '../reference/index.ts';
import { type CommitHead, StreamError, verifyHead } from '../stream/index.ts';
import { type CommitLayers, commitLayers } from './image-parts.ts';

export interface ReceiveOptions {
  readonly reference: OstreeReference;
  /**
   * May this image be used? Asked with its manifest before anything else is fetched. It answers as `reference.trust`
   * demands: a verified signature for `image`.
   */
  readonly admit: (source: ImageSource, raw: RawManifest, signal: AbortSignal) => Promise<void>;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

export interface ReceivedImage {
  readonly source: ImageSource;
  readonly manifest: RawManifest;
  readonly layers: CommitLayers;
}

/** @throws ImagesError, OciError, RegistryError; EncapsulatedError; what `admit` throws */
export async function receiveImage(
  source: ImageSource,
  { reference, admit, platform, signal }: ReceiveOptions,
): Promise<ReceivedImage> {
  const top = await source.readManifest(undefined, signal);
  const { raw, manifest } = await chooseImage(source, top, platform, signal);
  await admit(source, raw, signal);
  const config = parseConfig(await readImageConfig(source, manifest.config, signal));
  return { source, manifest: raw, layers: commitLayers(manifest, config, formatImageName(reference.image)) };
}

/** Undefined when the reference asks for no signature of a commit. @throws OstreeError REMOTE_UNKNOWN */
export async function verifierOfTrust(repository: Repository, trust: Trust): Promise<Verifier | undefined> {
  if (trust.kind !== 'remote') return undefined;
  const { commits } = await remotePolicy(repository, trust.remote);
  // Who names a remote wants its signatures, also where the configuration switches them off for pulls.
  if (commits.isRequired) return commits;
  return (await explicitPolicy(repository, { gpgVerify: true }, { remote: trust.remote })).commits;
}

/** What is here of an image's commit, whole and signed as it has to be; then nothing has to be fetched. */
export async function presentCommit(
  repository: Repository,
  { commit: checksum }: CommitLayers,
  verifier: Verifier | undefined,
): Promise<{ readonly head: CommitHead; readonly signatures: readonly SignatureReport[] } | undefined> {
  if (checksum === undefined || !/^[0-9a-f]{64}$/.test(checksum) || !isWhole(repository, checksum)) return undefined;
  const reader = objectsOf(repository);
  const bytes = reader.metadata(checksum, 'commit');
  const detached = reader.metadataIfPresent(checksum, 'commitmeta');
  const head = { checksum, commit: decodeCommit(bytes, `commit ${checksum}`), bytes, detached };
  if (verifier === undefined) return { head, signatures: [] };
  try {
    return { head, signatures: await verifyHead(head, verifier) };
  } catch (error) {
    if (error instanceof StreamError || error instanceof OstreeError) return undefined; // the image may bring a good one
    throw error;
  }
}

/** Of the component layers those that bring something that is not here. */
export function missingComponents(
  { components }: CommitLayers,
  records: LayerRecords,
  reader: ObjectReader,
): readonly Layer[] {
  return components.filter((layer) => records.present(layer, reader) === undefined);
}
