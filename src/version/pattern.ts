/**
 * Patterns: which versions a host may take by itself.
 *
 * `1.*` (wildcard) matches what begins with 1, pre-releases included. `1.2` (fixed) matches versions equal to it.
 * `1.0 <= v < 2.0` (bounds) takes the lower bound, not the upper one and none of its pre-releases: its purpose is
 * that the first incompatible version is never installed unattended. Separators are one or more spaces.
 */
import { CodedError } from '../base/error.ts';
import { quote } from '../base/text.ts';
import { compareParts, compareVersions, isZero, type Part, parseVersion, type Version } from './version.ts';

export type Pattern =
  | { readonly kind: 'wildcard'; readonly text: string; readonly prefix: readonly Part[] }
  | { readonly kind: 'fixed'; readonly text: string; readonly version: Version }
  | { readonly kind: 'bounds'; readonly text: string; readonly low: Version; readonly high: Version };

/** @throws CodedError PATTERN_MALFORMED when it is empty, or looks like bounds and is not. */
export function parsePattern(text: string): Pattern {
  if (text === '') throw malformed(text, 'a version, a wildcard or bounds');
  if (/[<>]|\s/u.test(text)) return parseBounds(text);
  const version = parseVersion(text);
  const last = version.parts.at(-1);
  if (last !== undefined && isStar(last)) return { kind: 'wildcard', text, prefix: version.parts.slice(0, -1) };
  return { kind: 'fixed', text, version };
}

function parseBounds(text: string): Pattern {
  const [, low = '', high = ''] = /^(\S+) +<= +v +< +(\S+)$/u.exec(text) ?? [];
  const bounds = { low: parseVersion(low), high: parseVersion(high) };
  // A comparison sign inside a bound, or no part at all ("--"), is a typing mistake and not a strange version.
  if (bounds.low.parts.length === 0 || bounds.high.parts.length === 0 || /[<>*]/.test(low + high)) {
    throw malformed(text, 'bounds such as "1.0 <= v < 2.0"');
  }
  if (!isBelow(bounds.low, bounds.high)) throw malformed(text, 'a lower bound below the upper one');
  return { kind: 'bounds', text, ...bounds };
}

export function matches(pattern: Pattern, version: Version): boolean {
  switch (pattern.kind) {
    case 'wildcard':
      return compareParts(pattern.prefix, version.parts, pattern.prefix.length) === 0;
    case 'fixed':
      return compareVersions(pattern.version, version) === 0;
    case 'bounds':
      return compareVersions(pattern.low, version) <= 0 && isBelow(version, pattern.high);
  }
}

/** Below `high` and below all its pre-releases: `high` loses its trailing zeros and gains a part below every part. */
function isBelow(version: Version, high: Version): boolean {
  let length = high.parts.length;
  while (length > 0 && isZero(high.parts[length - 1] as Part)) length--;
  return compareParts(version.parts, high.parts, length) < 0;
}

/** The items whose version matches, newest first; equal versions keep their order. */
export function select<T>(pattern: Pattern, items: readonly T[], versionOf: (item: T) => Version): T[] {
  return items
    .filter((item) => matches(pattern, versionOf(item)))
    .sort((a, b) => compareVersions(versionOf(b), versionOf(a)));
}

function isStar(part: Part): boolean {
  return part.kind === 'string' && part.bytes.toString() === '*';
}

function malformed(text: string, expected: string): CodedError {
  return new CodedError('PATTERN_MALFORMED', `version pattern: expected ${expected}, found ${quote(text)}`);
}
