/** Components of middling size into bins: those that change about as often, and are about as large, together. */
import { type Component, compareText } from './components.ts';
import { mean, type Spread, spread, standardDeviation } from './statistics.ts';

const THRESHOLD = 2;

/**
 * @param share how many components go into a bin before the next one is begun
 * @param most bins there may be; at least 1
 */
export function fillBins(components: readonly Component[], share: number, most: number): Component[][] {
  const bins = bucketsOf(components).flatMap((bucket) => pieces(bucket, share));
  return mergeNeighbours(bins, most);
}

/** Nine buckets at most, what changes often first. */
function bucketsOf(components: readonly Component[]): (readonly Component[])[] {
  const sorted = [...components].sort(byChange);
  const frequencies = inThree(sorted, ({ changeFrequency }) => changeFrequency);
  const bySize = [frequencies.high, frequencies.medium, frequencies.low].flatMap((bucket) => {
    const { high, medium, low } = inThree(bucket, ({ size }) => size);
    return [high, low, medium];
  });
  return bySize.filter((bucket) => bucket.length > 0);
}

/** With mean and standard deviation. Where nothing spreads, everything is in the middle. */
function inThree(components: readonly Component[], measure: (component: Component) => number): Spread<Component> {
  const values = components.map(measure);
  const [center, deviation] = [mean(values), standardDeviation(values)];
  if (deviation === 0) return { high: [], medium: components, low: [] };
  return spread(components, measure, { high: center + THRESHOLD * deviation, low: center - THRESHOLD * deviation });
}

/** Often changed first; of those that change equally often, packages of one source beside each other. */
function byChange(a: Component, b: Component): number {
  return (
    b.changeFrequency - a.changeFrequency || compareText(a.srcid, b.srcid) || compareText(a.identifier, b.identifier)
  );
}

function pieces<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += size) out.push(items.slice(at, at + size));
  return out;
}

/** Pairs from the end become one, sweep after sweep, so that none grows much more than the others. */
function mergeNeighbours(bins: Component[][], most: number): Component[][] {
  let merged = bins;
  while (merged.length > most) {
    let surplus = merged.length - most;
    const next: Component[][] = [];
    for (let i = merged.length - 1; i >= 0; i--) {
      const [bin = [], before] = [merged[i], merged[i - 1]];
      if (surplus === 0 || before === undefined) {
        next.push(bin);
        continue;
      }
      next.push([...before, ...bin]);
      surplus--;
      i--;
    }
    merged = next.reverse();
  }
  return merged;
}
