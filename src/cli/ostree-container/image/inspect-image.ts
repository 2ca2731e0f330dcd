/** What there is to know about an image without its layers. */
import type { ImageSource } from '../../../images/index.ts';
import { chooseImage, readImageConfig } from '../../../images/index.ts';
import {
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MEDIA,
  OciError,
  type Platform,
  parseConfig,
  parseManifest,
  type RawManifest,
} from '../../../oci/index.ts';

export interface Inspected {
  readonly source: ImageSource;
  /** What the name leads to: an image, or an index. */
  readonly raw: RawManifest;
  /** Undefined when the name leads to an image. */
  readonly index: ImageIndex | undefined;
  /** The image of an index that was wanted; undefined where it has none for this machine. */
  readonly image: InspectedImage | undefined;
}

export interface InspectedImage {
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
  /** Undefined for an artifact, whose configuration is something else. */
  readonly config: ImageConfig | undefined;
}

export interface InspectRequest {
  readonly platform: Platform;
  /** Somebody has named the platform: an index without it is an error. */
  readonly isChosen: boolean;
}

/** @throws OciError PLATFORM_MISSING only when the platform was chosen */
export async function inspectImage(
  source: ImageSource,
  { platform, isChosen }: InspectRequest,
  signal: AbortSignal,
): Promise<Inspected> {
  const raw = await source.readManifest(undefined, signal);
  const manifest = parseManifest(raw);
  const index = manifest.kind === 'index' ? manifest : undefined;
  try {
    const member = await chooseImage(source, raw, platform, signal);
    return { source, raw, index, image: { ...member, config: await configOf(source, member.manifest, signal) } };
  } catch (error) {
    if (isChosen || !(error instanceof OciError) || error.code !== 'PLATFORM_MISSING') throw error;
    return { source, raw, index, image: undefined };
  }
}

async function configOf(
  source: ImageSource,
  { config }: ImageManifest,
  signal: AbortSignal,
): Promise<ImageConfig | undefined> {
  if (config.mediaType !== MEDIA.ociConfig && config.mediaType !== MEDIA.dockerConfig) return undefined;
  return parseConfig(await readImageConfig(source, config, signal));
}

/** The manifest in its very bytes, of the whole index or of one of its images. */
export async function rawManifestOf(
  source: ImageSource,
  { platform, isChosen }: InspectRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const raw = await source.readManifest(undefined, signal);
  return isChosen ? (await chooseImage(source, raw, platform, signal)).raw.bytes : raw.bytes;
}

export async function rawConfigOf(
  source: ImageSource,
  { platform }: InspectRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const raw = await source.readManifest(undefined, signal);
  const { manifest } = await chooseImage(source, raw, platform, signal);
  return readImageConfig(source, manifest.config, signal);
}
