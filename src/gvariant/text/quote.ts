/** Strings and byte strings between quotes: single ones, or double ones when a single one is inside. */

const NAMED: Readonly<Record<string, string>> = {
  '\x07': 'a',
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
};

/** The character that each letter stands for after a backslash. */
export const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMED).map(([character, letter]) => [letter, character]),
);

/** Controls, invisible marks and unassigned characters are escaped; all others stand for themselves. */
export function quoteText(text: string): string {
  const quote = text.includes("'") ? '"' : "'";
  const escaped = text.replace(/['"\\\p{Cc}\p{Cf}\p{Cn}]/gu, (c) => {
    if (c === "'" || c === '"' || c === '\\') return c === quote || c === '\\' ? `\\${c}` : c;
    const named = NAMED[c];
    if (named !== undefined) return `\\${named}`;
    const hex = (c.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
  return quote + escaped + quote;
}

/**
 * A byte string without its NUL. GLib escapes double quotes even where single ones surround it, and writes no `\\a`.
 */
export function quoteBytes(bytes: Buffer): string {
  const quote = bytes.includes("'") ? '"' : "'";
  const escaped = bytes.toString('latin1').replace(/["\\]|[^\x20-\x7e]/g, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`;
    const named = c === '\x07' ? undefined : NAMED[c];
    return `\\${named ?? c.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `b${quote}${escaped}${quote}`;
}
