/**
 * Components into layers: at most so many, such that an update of the tree changes few of them.
 *
 * What is large and what changes alone gets a layer of its own; small and quiet parts share one; what changes with
 * every build is kept away from the rest; and the last layer is empty, for what a later build brings. How the bins are
 * arranged is no interface; that each component is in one, and that there are no more than allowed, is.
 */
import { plural } from '../../base/text.ts';
import { fillBins } from './buckets.ts';
import { ALWAYS_CHANGING, type Component, compareText } from './components.ts';
import { PackingError } from './error.ts';
import { keepStructure, type PriorLayer } from './prior-build.ts';
import { median, medianDeviation, spread } from './statistics.ts';

/** Layers besides the one of the commit's metadata. */
export const DEFAULT_LAYERS = 64;
export const FEWEST_LAYERS = 4;
/** Overlay mounts take 128, and the metadata of the commit is in one of them. */
export const MOST_LAYERS = 127;

/** The components of each layer, in the order of the layers. */
export type Bins = readonly (readonly Component[])[];

/** How far from the middle is far. */
const THRESHOLD = 2;
/** Of the layers that are not spoken for, this share is for single large components. */
const SINGLE_SHARE = 0.6;

/**
 * The same for the same components in any order. No component at all: no layer at all.
 * @param maxLayers counted without the layer of the commit's metadata
 * @param prior component layers of the build before; their structure is kept
 * @throws PackingError LAYER_COUNT, PRIOR_BUILD
 */
export function packComponents(
  components: readonly Component[],
  maxLayers: number = DEFAULT_LAYERS,
  prior?: readonly PriorLayer[],
): Bins {
  assertLayerLimit(maxLayers);
  if (components.length === 0) return [];
  const sorted = [...components].sort(byIdentifier);
  if (prior !== undefined && prior.length > 0) return keepStructure(sorted, maxLayers, prior);
  return sorted.length < maxLayers ? [...oneEach(sorted), []] : packTightly(sorted, maxLayers);
}

/** @throws PackingError LAYER_COUNT */
export function assertLayerLimit(maxLayers: number): void {
  if (Number.isSafeInteger(maxLayers) && maxLayers >= FEWEST_LAYERS && maxLayers <= MOST_LAYERS) return;
  const text = `at most ${plural(maxLayers, 'layer')}: expected a number from ${FEWEST_LAYERS} to ${MOST_LAYERS}`;
  throw new PackingError('LAYER_COUNT', text);
}

/** What changes always comes last. */
function oneEach(components: readonly Component[]): Component[][] {
  const { quiet, always } = splitAlways(components);
  return [...quiet, ...always].map((component) => [component]);
}

function packTightly(components: readonly Component[], maxLayers: number): Bins {
  const { quiet, always } = splitAlways(components);
  const { high, medium, low } = spread(quiet, sizeOf, sizeLimits(quiet));
  const free = maxLayers - 2 - (always.length > 0 ? 1 : 0); // one for what is small, one empty
  const largest = [...high].sort((a, b) => b.size - a.size || byIdentifier(a, b));
  const singles = largest.slice(0, Math.floor(free * SINGLE_SHARE));
  const mediumBins = free - singles.length;
  const rest = [...medium, ...largest.slice(singles.length)].sort(byIdentifier);
  const share = Math.max(1, Math.ceil((components.length - singles.length - low.length) / mediumBins));
  const bins = [...singles.map((single) => [single]), low, ...fillBins(rest, share, mediumBins), always];
  return [...bins.filter((bin) => bin.length > 0), []];
}

function splitAlways(components: readonly Component[]) {
  const isAlways = ({ changeFrequency }: Component): boolean => changeFrequency === ALWAYS_CHANGING;
  return { quiet: components.filter((one) => !isAlways(one)), always: components.filter(isAlways) };
}

/** With median and MAD: sizes of packages are so uneven that a mean says little. */
function sizeLimits(components: readonly Component[]): { readonly high: number; readonly low: number } {
  const sizes = components.map(sizeOf);
  const [center, deviation] = [median(sizes), medianDeviation(sizes)];
  return { high: center + THRESHOLD * deviation, low: 0.5 * Math.abs(center - THRESHOLD * deviation) };
}

function sizeOf({ size }: Component): number {
  return size;
}

function byIdentifier(a: Component, b: Component): number {
  return compareText(a.identifier, b.identifier);
}
