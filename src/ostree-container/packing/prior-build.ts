/** The structure of an image is kept from build to build: what did not change then keeps its digest. */
import { plural, quote } from '../../base/text.ts';
import type { Component } from './components.ts';
import { PackingError } from './error.ts';

/** On the descriptor of a component layer: the names in it, sorted, joined with commas; nothing for a reserve. */
export const COMPONENTS_ANNOTATION = 'ostree.components';

/** What is needed of a layer's descriptor. */
export interface PriorLayer {
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The component layers of an image's manifest: all but the first, which holds the metadata of the commit. */
export function priorBuildOf(manifest: { readonly layers: readonly PriorLayer[] }): PriorLayer[] {
  return manifest.layers.slice(1);
}

/**
 * Names stay in their layer, names that are gone disappear, new ones go to the last layer; while there is room, an
 * empty one is put behind it again. Layers in which nothing is left go: two empty ones would be the same layer, and
 * the label that names the last one by its digest would name both.
 * @param prior of `priorBuildOf`
 * @throws PackingError PRIOR_BUILD when a layer does not name its components, or there are more layers than allowed
 */
export function keepStructure(
  components: readonly Component[],
  maxLayers: number,
  prior: readonly PriorLayer[],
): Component[][] {
  const places = placesOf(prior);
  const bins: Component[][] = prior.map(() => []);
  const last = bins.length - 1;
  for (const component of components) bins[places.get(component.name) ?? last]?.push(component);
  const kept = bins.filter((bin, i) => bin.length > 0 || i === last);
  if (kept.length > maxLayers) throw tooMany(kept.length, maxLayers);
  if (kept.at(-1)?.length !== 0 && kept.length < maxLayers) kept.push([]);
  return kept;
}

/** Which layer each name was in. Of a name that is in two the first counts. */
function placesOf(prior: readonly PriorLayer[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [i, { annotations = {} }] of prior.entries()) {
    const names = Object.hasOwn(annotations, COMPONENTS_ANNOTATION) ? annotations[COMPONENTS_ANNOTATION] : undefined;
    if (names === undefined) throw unnamed(i);
    for (const name of names.split(',')) if (name !== '' && !places.has(name)) places.set(name, i);
  }
  return places;
}

function unnamed(i: number): PackingError {
  const text = `prior build: component layer ${i + 1} has no annotation ${quote(COMPONENTS_ANNOTATION)}`;
  const hint =
    'conversion to a Docker manifest loses it, and derived images have layers without; name the image as it was built';
  return new PackingError('PRIOR_BUILD', text, { hint });
}

function tooMany(found: number, maxLayers: number): PackingError {
  const text = `prior build: ${plural(found, 'component layer')}, and at most ${maxLayers} are allowed`;
  return new PackingError('PRIOR_BUILD', text, { hint: 'allow as many layers, or build without the prior build' });
}
