/**
 * Any text as part of a ref (spec ostree-container 2.7): letters and digits of ASCII and `-` pass, `_` is doubled, `/`
 * passes behind a letter or digit unless it is last, and everything else is `_HEX_`, the code point in upper case.
 */
import { quote } from '../../base/text.ts';
import { OstreeReferenceError } from './error.ts';

const PIECE = /[A-Za-z0-9/-]|__|_([0-9A-F]{2,6})_/y;

/** @throws OstreeReferenceError BAD_ESCAPED_REF for an empty text, and for one with NUL */
export function escapeRef(text: string): string {
  const characters = [...text];
  if (characters.length === 0) throw unescapable(text, 'it is empty');
  if (text.includes('\0')) throw unescapable(text, 'it holds NUL');
  return characters.map((character, i) => escapeOne(character, characters[i - 1], i + 1 < characters.length)).join('');
}

/** @throws OstreeReferenceError BAD_ESCAPED_REF for what `escapeRef` does not make */
export function unescapeRef(ref: string): string {
  let text = '';
  let at = 0;
  while (at < ref.length) {
    PIECE.lastIndex = at;
    const [piece, hex] = PIECE.exec(ref) ?? [];
    const character = piece === undefined ? undefined : unescapeOne(piece, hex);
    if (piece === undefined || character === undefined)
      throw malformed(ref, `${quote(ref.slice(at, at + 9))} is no escape`);
    text += character;
    at += piece.length;
  }
  if (text === '' || text.includes('\0') || escapeRef(text) !== ref) throw malformed(ref, 'no text has this form');
  return text;
}

function escapeOne(character: string, before: string | undefined, hasNext: boolean): string {
  if (/^[A-Za-z0-9-]$/.test(character)) return character;
  if (character === '_') return '__';
  if (character === '/' && hasNext && before !== undefined && /^[A-Za-z0-9]$/.test(before)) return character;
  return `_${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}_`;
}

function unescapeOne(piece: string, hex: string | undefined): string | undefined {
  if (hex === undefined) return piece === '__' ? '_' : piece;
  const point = Number.parseInt(hex, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
}

function unescapable(text: string, why: string): OstreeReferenceError {
  return new OstreeReferenceError('BAD_ESCAPED_REF', `${quote(text)} cannot be part of a ref: ${why}`, {
    subject: text,
  });
}

function malformed(ref: string, why: string): OstreeReferenceError {
  return new OstreeReferenceError('BAD_ESCAPED_REF', `ref ${quote(ref)}: ${why}`, { subject: ref });
}
