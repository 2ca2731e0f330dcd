/**
 * Where a type string ends. GLib's indefinite types (`*`, `?`, `r`) are none here: they describe no value.
 * Source: GVariantType in GLib's reference documentation.
 */
import { DEEPEST } from './framing.ts';

export const BASIC = 'ybnqiuxthdsog';

/**
 * The end of the one type string that begins at `at`, or undefined when none does. `level` is the number of containers
 * around it.
 */
export function typeEnd(text: string, at: number, level = 0): number | undefined {
  if (level > DEEPEST) return undefined;
  const code = text.charAt(at);
  if (code === '') return undefined;
  if (code === 'v' || BASIC.includes(code)) return at + 1;
  if (code === 'a' || code === 'm') return typeEnd(text, at + 1, level + 1);
  if (code === '(') return tupleEnd(text, at + 1, level + 1);
  return code === '{' ? entryEnd(text, at + 1, level + 1) : undefined;
}

function tupleEnd(text: string, first: number, level: number): number | undefined {
  let at: number | undefined = first;
  while (at !== undefined && text.charAt(at) !== ')') at = typeEnd(text, at, level);
  return at === undefined ? undefined : at + 1;
}

function entryEnd(text: string, key: number, level: number): number | undefined {
  if (text.charAt(key) === '' || !BASIC.includes(text.charAt(key)) || level > DEEPEST) return undefined;
  const end = typeEnd(text, key + 1, level);
  return end !== undefined && text.charAt(end) === '}' ? end + 1 : undefined;
}

/** Type strings in a row, as a D-Bus message has them: no maybes, which D-Bus does not know. */
export function isSignature(text: string): boolean {
  if (text.includes('m')) return false;
  let at: number | undefined = 0;
  while (at !== undefined && at < text.length) at = typeEnd(text, at);
  return at !== undefined;
}
