/** Which content goes into which layer of a new image (spec ostree-container 2.4, 2.5). */
import { chooseImage, type ImageName, type Images } from '../../images/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import type { Checksum, Commit, ObjectReader } from '../../ostree/index.ts';
import {
  type ComponentMapping,
  type ContentMeta,
  componentsOfCommit,
  componentsOfContentMeta,
  contentSizes,
  type PriorLayer,
  packLayers,
  priorBuildOf,
} from '../packing/index.ts';
import { contentTargets } from '../stream/index.ts';

/** `commit`: found in the tree itself. A file: as it says. `none`: everything in one layer. */
export type Components =
  | { readonly kind: 'commit' }
  | { readonly kind: 'file'; readonly meta: ContentMeta; readonly name: string }
  | { readonly kind: 'none' };

export interface PlannedLayer {
  readonly title: string;
  /** Undefined: the layer of the commit itself. */
  readonly components: string | undefined;
  /** Ascending. */
  readonly objects: readonly Checksum[];
}

export interface LayerPlan {
  /** Of the commit first, with what is in no component. */
  readonly layers: readonly PlannedLayer[];
  /** Paths of every content. */
  readonly targets: ReadonlyMap<Checksum, readonly string[]>;
  readonly sizes: ReadonlyMap<Checksum, number>;
}

export interface PlanRequest {
  readonly checksum: Checksum;
  readonly commit: Commit;
  readonly title: string;
  readonly components: Components;
  readonly maxLayers: number | undefined;
  readonly priorBuild: readonly PriorLayer[] | undefined;
}

export interface PlanContext {
  /** Hears of package databases that are there and cannot be read. */
  readonly onNote: (text: string) => void;
  readonly signal: AbortSignal;
}

/** @throws PackingError; OstreeError OBJECT_MISSING, OBJECT_MALFORMED; StreamError STREAM_LIMIT */
export async function planLayers(reader: ObjectReader, request: PlanRequest, context: PlanContext): Promise<LayerPlan> {
  const { checksum, commit, title, components, maxLayers, priorBuild } = request;
  const targets = contentTargets(reader, commit.rootTree);
  const sizes = contentSizes(reader, checksum);
  const mapping = await mappingOf(reader, checksum, components, sizes, context);
  const chunks = mapping === undefined ? [] : packLayers(mapping, { maxLayers, priorBuild });
  // Two layers without content would be the same layer, and the label of the last one would name both.
  const kept = chunks.filter(({ objects }, i) => objects.length > 0 || i === chunks.length - 1);
  const packed = new Set(kept.flatMap(({ objects }) => objects));
  const remainder = [...targets.keys()].filter((each) => !packed.has(each)).sort();
  return { layers: [{ title, components: undefined, objects: remainder }, ...kept], targets, sizes };
}

/** The layers of an image that was built before. @throws ImagesError, OciError, RegistryError; PackingError PRIOR_BUILD */
export async function readPriorBuild(
  images: Pick<Images, 'source'>,
  name: ImageName,
  architecture: string,
  signal: AbortSignal,
): Promise<PriorLayer[]> {
  const source = await images.source(name, signal);
  try {
    const platform = { ...hostPlatform(), architecture, variant: undefined };
    const top = await source.readManifest(undefined, signal);
    return priorBuildOf((await chooseImage(source, top, platform, signal)).manifest);
  } finally {
    await source.close();
  }
}

async function mappingOf(
  reader: ObjectReader,
  commit: Checksum,
  components: Components,
  sizes: ReadonlyMap<Checksum, number>,
  { signal, onNote }: PlanContext,
): Promise<ComponentMapping | undefined> {
  switch (components.kind) {
    case 'commit': {
      const found = await componentsOfCommit(reader, commit, signal);
      for (const { path, reason } of found.unread) onNote(`package database ${path}: not read: ${reason}`);
      return found;
    }
    case 'file':
      return componentsOfContentMeta(components.meta, sizes, components.name);
    case 'none':
      return undefined;
  }
}
