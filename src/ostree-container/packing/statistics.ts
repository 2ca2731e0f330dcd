/** Measures of how numbers spread. Of no numbers at all each of them is 0. */

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the whole population, not of a sample. */
export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}

/** Of an even count the middle between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? 0;
  const lower = sorted[(sorted.length - 1) >> 1] ?? 0;
  return (lower + upper) / 2;
}

/** The median of the distances from the median (MAD): a few giants do not move it. */
export function medianDeviation(values: readonly number[]): number {
  const center = median(values);
  return median(values.map((value) => Math.abs(value - center)));
}

/** What stands out above, what stands out below, and the rest; each in the order of the input. */
export interface Spread<T> {
  readonly high: readonly T[];
  readonly medium: readonly T[];
  readonly low: readonly T[];
}

export function spread<T>(
  items: readonly T[],
  measure: (item: T) => number,
  limits: { readonly high: number; readonly low: number },
): Spread<T> {
  const [high, medium, low]: [T[], T[], T[]] = [[], [], []];
  for (const item of items) {
    const value = measure(item);
    (value >= limits.high ? high : value <= limits.low ? low : medium).push(item);
  }
  return { high, medium, low };
}
