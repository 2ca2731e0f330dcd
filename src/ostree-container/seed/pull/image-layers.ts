/** An image to be pulled: its manifest, its configuration, and what its labels say of its layers. */
import { chooseImage, formatImageName, type ImageSource, readImageConfig } from '../../../images/index.ts';
import {
  assertSameLayers,
  type Descriptor,
  type Digest,
  hostPlatform,
  type ImageConfig,
  type Platform,
  parseConfig,
  type RawManifest,
} from '../../../oci/index.ts';
import { type Checksum, isChecksum } from '../../../ostree/index.ts';
import { LabelError } from '../../labels/index.ts';
import { FROM_NOTHING, LABELS } from '../format/layout.ts';

export interface ImageLayerPlace {
  /** The lowest is 0. */
  readonly index: number;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface OpenedSeed {
  readonly source: ImageSource;
  readonly raw: RawManifest;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayerPlace[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Manifest and configuration, verified. @throws OciError, ImagesError, RegistryError */
export async function openImage(
  source: ImageSource,
  signal: AbortSignal,
  platform: Platform = hostPlatform(),
): Promise<OpenedSeed> {
  const { raw, manifest } = await chooseImage(source, await source.readManifest(undefined, signal), platform, signal);
  const config = parseConfig(await readImageConfig(source, manifest.config, signal));
  assertSameLayers(manifest, config);
  const layers = manifest.layers.map((descriptor, index) => {
    const diffId = config.rootfs.diff_ids[index];
    if (diffId === undefined) throw new Error('unreachable: as many diff ids as layers');
    return { index, descriptor, diffId };
  });
  return { source, raw, config, layers, labels: { ...manifest.annotations, ...config.config?.Labels } };
}

/** Which layer has what; undefined where no label says so: then any layer may have anything. */
export interface NamedLayers {
  readonly metadata: ImageLayerPlace;
  readonly contents: ImageLayerPlace;
  /** Layers of the base with objects that the repository in the image does not have. */
  readonly base: readonly ImageLayerPlace[];
  /** By the commit that each starts from; undefined: from nothing. */
  readonly deltas: ReadonlyMap<Checksum | undefined, ImageLayerPlace>;
}

export function namedLayers({ labels, layers }: OpenedSeed): NamedLayers | undefined {
  const find = (diffId: string | undefined) => layers.find((layer) => layer.diffId === diffId);
  const [metadata, contents] = [find(labels[LABELS.metadata]), find(labels[LABELS.contents])];
  if (metadata === undefined || contents === undefined) return undefined;
  const deltas = new Map<Checksum | undefined, ImageLayerPlace>();
  for (const [name, diffId] of Object.entries(labels)) {
    if (!name.startsWith(LABELS.delta)) continue;
    const from = name.slice(LABELS.delta.length);
    const layer = find(diffId);
    if (layer !== undefined && (from === FROM_NOTHING || isChecksum(from))) {
      deltas.set(from === FROM_NOTHING ? undefined : from, layer);
    }
  }
  const base = (labels[LABELS.base] ?? '').split(',').flatMap((diffId) => find(diffId) ?? []);
  return { metadata, contents, base, deltas };
}

/** What the image says of itself. @throws LabelError COMMIT_LABEL_MISMATCH */
export function labelledCommit({ labels, source }: OpenedSeed): Checksum | undefined {
  const found = labels[LABELS.commit];
  if (found === undefined || isChecksum(found)) return found;
  throw new LabelError(
    'COMMIT_LABEL_MISMATCH',
    `${formatImageName(source.name)}: label ${LABELS.commit} is no checksum`,
  );
}

export function isEncapsulated({ labels }: OpenedSeed): boolean {
  return labels[LABELS.finalDiffId] !== undefined;
}
