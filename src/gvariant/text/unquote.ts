/** What stands between quotes, with its escapes undone. */
import { textError } from '../error.ts';
import { ESCAPES } from './quote.ts';

/** Where the quote that is at `start` is closed. */
export function quotedEnd(text: string, start: number): number | undefined {
  const quote = text.charAt(start);
  for (let i = start + 1; i < text.length; i++) {
    if (text.charAt(i) === '\\') i++;
    else if (text.charAt(i) === quote) return i;
  }
  return undefined;
}

/** `at` is where the text stands, for errors. */
export function textIn(quoted: string, at: number): string {
  return quoted.replace(/\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[\s\S])/g, (_, code: string) => {
    if (code === '\n') return ''; // a line goes on
    if (!/^[uU]/.test(code)) return ESCAPES.get(code) ?? code;
    const point = Number.parseInt(code.slice(1), 16); // NaN for \u without its digits
    if (!(point > 0 && point <= 0x10ffff) || (point >= 0xd800 && point < 0xe000))
      throw textError(at, 'the code of a character after \\u and \\U');
    return String.fromCodePoint(point);
  });
}

/** A byte string, as C has them: it ends at its first NUL, and one is put at its end. */
export function bytesIn(quoted: string): Uint8Array {
  const latin1 = Buffer.from(quoted, 'utf8').toString('latin1'); // one character for each byte
  const text = latin1.replace(/\\([0-7]{1,3}|[\s\S])/g, (_, code: string) => {
    if (code === '\n') return '';
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    return ESCAPES.get(code) ?? code;
  });
  const [beforeNul = ''] = text.split('\0', 1);
  return Buffer.from(`${beforeNul}\0`, 'latin1');
}
