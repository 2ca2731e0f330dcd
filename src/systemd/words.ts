/**
 * A command line split into words with the quotes and escapes of systemd units; no variables, no shell.
 * Source: systemd.service(5) "Command lines", systemd.syntax(7) "Quoting".
 */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
};

/** The words, or undefined when a quote is not closed or an escape is unknown. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  for (let taken = takeWord(line); taken !== undefined; taken = takeWord(taken.rest)) {
    if (taken === 'malformed') return undefined;
    words.push(taken.word);
  }
  return words;
}

/** The first word, and what stands behind it; undefined when there is none. */
export function takeWord(line: string): { readonly word: string; readonly rest: string } | 'malformed' | undefined {
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (c === '\\') {
      const escaped = readEscape(line.slice(i + 1, i + 11));
      if (escaped === undefined) return 'malformed';
      word = (word ?? '') + escaped.text;
      i += escaped.length;
    } else if (quote !== '') {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (c === ' ' || c === '\t') {
      if (word !== undefined) return { word, rest: line.slice(i) };
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== '') return 'malformed';
  return word === undefined ? undefined : { word, rest: '' };
}

function readEscape(text: string): { readonly text: string; readonly length: number } | undefined {
  const simple = ESCAPES[text[0] ?? ''];
  if (simple !== undefined) return { text: simple, length: 1 };
  const [, digits = '', hex2, octal, hex4, hex8] =
    /^(x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text) ?? [];
  const code = Number.parseInt(hex2 ?? octal ?? hex4 ?? hex8 ?? '', octal === undefined ? 16 : 8);
  // NUL ends a string for the kernel, and a byte that is no character could not be passed on as it is.
  const isByte = hex2 !== undefined || octal !== undefined;
  if (!(code > 0) || code > (isByte ? 0x7f : 0x10ffff) || (code >= 0xd800 && code < 0xe000)) return undefined;
  return { text: String.fromCodePoint(code), length: digits.length };
}
