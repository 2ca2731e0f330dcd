/**
 * Versions and their order. Any text is a version: it is split at `.`, `-` and `_`, empty parts are dropped, a part
 * of ASCII digits is a number and any other part a string.
 *
 * Numbers are unbounded (kept as digits without leading zeros). A string sorts before any number, strings compare by
 * their UTF-8 bytes, and the shorter version is padded with zeros: `1.0-beta` < `1.0` = `1` < `1.0.1`.
 */
export interface Version {
  /** As written; spelling never matters for the order. */
  readonly text: string;
  readonly parts: readonly Part[];
}

/** A number as its digits without leading zeros (`0` is `''`), or the UTF-8 bytes of a string. */
export type Part =
  | { readonly kind: 'number'; readonly digits: string }
  | { readonly kind: 'string'; readonly bytes: Buffer };

const ZERO: Part = { kind: 'number', digits: '' };

export function parseVersion(text: string): Version {
  const parts = text
    .split(/[._-]/)
    .filter((part) => part !== '')
    .map(parsePart);
  return { text, parts };
}

function parsePart(text: string): Part {
  if (/^[0-9]+$/.test(text)) return { kind: 'number', digits: text.replace(/^0+/, '') };
  return { kind: 'string', bytes: Buffer.from(text, 'utf8') };
}

/** Negative when `a` is the older one, 0 when they are equal whatever their spelling, positive when it is newer. */
export function compareVersions(a: Version, b: Version): number {
  return compareParts(a.parts, b.parts, Math.max(a.parts.length, b.parts.length));
}

/** Compare the first `count` parts, either side padded with zeros. */
export function compareParts(a: readonly Part[], b: readonly Part[], count: number): number {
  for (let i = 0; i < count; i++) {
    const order = comparePart(a[i] ?? ZERO, b[i] ?? ZERO);
    if (order !== 0) return order;
  }
  return 0;
}

export function isZero(part: Part): boolean {
  return part.kind === 'number' && part.digits === '';
}

function comparePart(a: Part, b: Part): number {
  if (a.kind === 'string') return b.kind === 'string' ? Buffer.compare(a.bytes, b.bytes) : -1;
  if (b.kind === 'string') return 1;
  if (a.digits.length !== b.digits.length) return a.digits.length - b.digits.length;
  return a.digits < b.digits ? -1 : Number(a.digits > b.digits);
}

/** One text per class of equal versions, for maps and sets; says nothing about the order. */
export function versionKey(version: Version): string {
  let length = version.parts.length;
  while (length > 0 && isZero(version.parts[length - 1] as Part)) length--;
  // "." never occurs in a part, and the first letter keeps the string "1x" apart from a number.
  return version.parts
    .slice(0, length)
    .map((part) => (part.kind === 'number' ? `n${part.digits}` : `s${part.bytes.toString('utf8')}`))
    .join('.');
}
