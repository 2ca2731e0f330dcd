/**
 * Time spans as systemd writes them: `30`, `10s`, `5min 20s`, `1.5h`; a number alone counts seconds.
 * Source: systemd.time(7), "Parsing Time Spans".
 */
const UNITS: readonly (readonly [milliseconds: number, names: string])[] = [
  [0.001, 'usec us µs μs'],
  [1, 'msec ms'],
  [1000, 'seconds second sec s'],
  [60_000, 'minutes minute min m'],
  [3_600_000, 'hours hour hr h'],
  [86_400_000, 'days day d'],
  [7 * 86_400_000, 'weeks week w'],
  [(365.25 / 12) * 86_400_000, 'months month M'],
  [365.25 * 86_400_000, 'years year y'],
];
const MILLISECONDS = new Map(UNITS.flatMap(([value, names]) => names.split(' ').map((name) => [name, value] as const)));
/** Longer spans are typing mistakes: a hundred years. */
const LONGEST = 100 * 365.25 * 86_400_000;

/** Milliseconds, or undefined when it is not a time span. */
export function parseTimeSpan(text: string): number | undefined {
  const token = /\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Zµμ]*)\s*/uy;
  let total = 0;
  do {
    const [, amount = '', unit = ''] = token.exec(text) ?? [];
    const factor = unit === '' ? 1000 : MILLISECONDS.get(unit);
    if (amount === '' || factor === undefined) return undefined;
    total += Number(amount) * factor;
  } while (token.lastIndex < text.length);
  return total <= LONGEST ? total : undefined;
}

/** `2 d 3 h`, `1 min 30 s`, `0 s`: the two largest units, for people. */
export function formatTimeSpan(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const parts: string[] = [];
  let rest = seconds;
  for (const [length, name] of [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`);
  }
  return parts.length === 0 ? '0 s' : parts.join(' ');
}
