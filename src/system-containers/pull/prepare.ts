/** What there is to pull: the manifest, admitted, its configuration, and which layers are here already. */
import { quote } from '../../base/text.ts';
import { chooseImage, formatImageName, type ImageSource, readImageConfig } from '../../images/index.ts';
import {
  assertSameLayers,
  type Descriptor,
  type Digest,
  formatPlatform,
  type ImageConfig,
  type ImageManifest,
  isForeign,
  OciError,
  packingOf,
  parseConfig,
  type RawManifest,
} from '../../oci/index.ts';
import type { Repository } from '../../ostree/index.ts';
import { findStoredAs, layerFacts, layersBelow, readConfigBytes, type StoredImage } from '../storage/index.ts';
import type { Verification } from '../verification.ts';
import { admit } from './admission.ts';
import type { PullRequest } from './request.ts';

export interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Diff ids of everything below it. */
  readonly below: readonly Digest[];
  /** Layers below it, the lowest first. */
  readonly digestsBelow: readonly Digest[];
  readonly isThere: boolean;
}

export interface PreparedImage {
  readonly storedName: string;
  readonly source: ImageSource;
  readonly manifest: RawManifest;
  readonly configDigest: Digest;
  readonly config: Uint8Array;
  /** Each digest once, the lowest first. */
  readonly layers: readonly WantedLayer[];
  readonly verification: Verification;
  /** What the repository has under this name. */
  readonly stored: StoredImage | undefined;
  /** That is this image, and nothing of it is missing. */
  readonly isStored: boolean;
}

/**
 * One request for the manifest when the image is stored, and one for the configuration when it is not.
 * @param repository undefined: there is none yet
 * @throws what `admit` throws; OciError LAYER_UNSUPPORTED, PLATFORM_MISSING, MANIFEST_MALFORMED ...; RegistryError
 */
export async function prepareImage(
  repository: Repository | undefined,
  source: ImageSource,
  storedName: string,
  request: PullRequest,
): Promise<PreparedImage> {
  const { platform, signal, progress } = request;
  progress({ kind: 'note', text: 'Getting image source signatures' });
  const first = await source.readManifest(undefined, signal);
  const { raw, manifest } = await chooseImage(source, first, platform, signal);
  const verification = await admit(source, raw, request);
  assertSupported(manifest);
  const stored = repository && findStoredAs(repository, storedName);
  const known = repository && readConfigBytes(repository, { config: manifest.config.digest, name: storedName });
  const config = known ?? (await readImageConfig(source, manifest.config, signal));
  const parsed = parseConfig(config);
  assertSameLayers(manifest, parsed);
  const layers = wantedLayers(repository, manifest, parsed);
  const isWhole = known !== undefined && layers.every(({ isThere }) => isThere);
  if (!isWhole) tellPlatform(source, parsed, request);
  return {
    storedName,
    source,
    manifest: raw,
    configDigest: manifest.config.digest,
    config,
    layers,
    verification,
    stored,
    isStored: isWhole && stored?.digest === raw.digest,
  };
}

function wantedLayers(
  repository: Repository | undefined,
  { layers }: ImageManifest,
  { rootfs }: ImageConfig,
): readonly WantedLayer[] {
  const wanted = new Map<Digest, WantedLayer>();
  const below: Digest[] = [];
  const digestsBelow: Digest[] = [];
  for (const [i, descriptor] of layers.entries()) {
    const diffId = rootfs.diff_ids[i] ?? descriptor.digest;
    if (!wanted.has(descriptor.digest)) {
      const isThere = repository !== undefined && isLayerThere(repository, descriptor.digest, diffId, below);
      wanted.set(descriptor.digest, {
        descriptor,
        diffId,
        below: [...below],
        digestsBelow: [...digestsBelow],
        isThere,
      });
    }
    below.push(diffId);
    digestsBelow.push(descriptor.digest);
  }
  return [...wanted.values()];
}

/** Whole, and with the tree that it has on top of these layers. */
export function isLayerThere(
  repository: Repository,
  digest: Digest,
  diffId: Digest,
  below: readonly Digest[],
): boolean {
  const facts = layerFacts(repository, digest);
  if (facts === undefined || facts.diffId !== diffId) return false;
  const made = layersBelow(repository, facts);
  return made === undefined || made === below.join(' ');
}

/** Each one is remembered with all that are below it. Overlay file systems stop at 500. */
const LAYERS_LIMIT = 1000;

/** Before the first byte is fetched. @throws OciError LAYER_UNSUPPORTED, TOO_LARGE */
function assertSupported({ layers }: ImageManifest): void {
  if (layers.length > LAYERS_LIMIT) {
    throw new OciError('TOO_LARGE', `the manifest has ${layers.length} layers, more than the limit of ${LAYERS_LIMIT}`);
  }
  for (const { mediaType, digest } of layers) {
    if (packingOf(mediaType) !== undefined && !isForeign(mediaType)) continue;
    throw new OciError('LAYER_UNSUPPORTED', `layer ${digest}: unhandled layer type: ${quote(mediaType, 120)}`, {
      subject: digest,
    });
  }
}

/** Of an index the right one was chosen; a single image may be for anything. */
function tellPlatform({ name }: ImageSource, { os, architecture }: ImageConfig, request: PullRequest): void {
  const { platform, progress } = request;
  if (architecture === '' || (os === platform.os && architecture === platform.architecture)) return;
  const text = `${formatImageName(name)}: is for ${os}/${architecture}, not for ${formatPlatform(platform)}`;
  progress({ kind: 'warning', text });
}
