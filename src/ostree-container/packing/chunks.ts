/** What the writer of an image has to know of each component layer. */
import type { Checksum } from '../../ostree/index.ts';
import { type ComponentMapping, compareText } from './components.ts';
import { type Bins, packComponents } from './pack.ts';
import type { PriorLayer } from './prior-build.ts';

export interface Chunk {
  /** For people, `created_by` in the history of the image. */
  readonly title: string;
  /** Value of the annotation `ostree.components`; empty for the reserve. */
  readonly components: string;
  /** Content objects, ascending. */
  readonly objects: readonly Checksum[];
  /** Sum of the contents, before compression. */
  readonly size: number;
}

/**
 * The component layers of an image, in their order, behind the one of the metadata: each content object of the mapping
 * in exactly one. None for a commit without content; else the last one is empty, or was it before this build.
 * @param maxLayers without the layer of the metadata; `DEFAULT_LAYERS`
 * @param priorBuild of `priorBuildOf`: its structure is kept
 * @throws PackingError LAYER_COUNT, PRIOR_BUILD
 */
export function packLayers(
  mapping: ComponentMapping,
  options: { readonly maxLayers?: number | undefined; readonly priorBuild?: readonly PriorLayer[] | undefined } = {},
): Chunk[] {
  return chunksOf(packComponents(mapping.components, options.maxLayers, options.priorBuild), mapping);
}

/** One for each bin, in their order. */
function chunksOf(bins: Bins, { objects }: Pick<ComponentMapping, 'objects'>): Chunk[] {
  const contents = new Map<string, Checksum[]>();
  for (const [checksum, identifier] of objects) {
    const list = contents.get(identifier);
    if (list === undefined) contents.set(identifier, [checksum]);
    else list.push(checksum);
  }
  return bins.map((bin) => ({
    title: chunkTitle(bin.map(({ identifier }) => identifier)),
    components: [...new Set(bin.map(({ name }) => name))].sort(compareText).join(','),
    objects: bin.flatMap(({ identifier }) => contents.get(identifier) ?? []).sort(compareText),
    size: bin.reduce((sum, { size }) => sum + size, 0),
  }));
}

/** More names than this say less than their number. */
const NAMED = 5;

function chunkTitle(identifiers: readonly string[]): string {
  if (identifiers.length === 0) return 'Reserved for new packages';
  if (identifiers.length > NAMED) return `${identifiers.length} components`;
  return [...identifiers].sort(compareText).join(' and ');
}
