/** Text: UTF-8 without NUL inside, and one NUL at its end. */
import { isUtf8 } from 'node:buffer';
import { clip, malformed, unfit } from './error.ts';
import { isSignature } from './signature.ts';
import { defineType, type Type } from './type.ts';

function text(code: string, expected: string, isValid: (value: string) => boolean): Type<string> {
  const read = (from: Buffer, start: number, end: number): string => {
    const value = readText(code, from, start, end);
    if (!isValid(value)) throw malformed(code, expected, JSON.stringify(clip(value)));
    return value;
  };
  return defineType<string>(
    { signature: code, alignment: 1, fixedSize: undefined, form: { kind: 'basic' } },
    {
      plain: false,
      read,
      check: read,
      write(to, value) {
        if (/[\0\p{Cs}]/u.test(value) || !isValid(value)) throw unfit(code, expected, JSON.stringify(clip(value)));
        const size = Buffer.byteLength(value);
        const buffer = to.room(size + 1);
        buffer.write(value, to.length, 'utf8');
        buffer[to.length + size] = 0;
        to.length += size + 1;
      },
    },
  );
}

function readText(code: string, from: Buffer, start: number, end: number): string {
  const last = end - 1;
  if (last < start || from[last] !== 0) throw malformed(code, 'a NUL at the end', 'none');
  let bits = 0; // all bytes ORed: the top bit tells that one of them is not ASCII
  for (let i = start; i < last; i++) {
    const byte = from[i] ?? 0;
    if (byte === 0) throw malformed(code, 'one NUL at the end', 'another before it');
    bits |= byte;
  }
  if (bits < 0x80) return from.toString('latin1', start, last);
  if (!isUtf8(from.subarray(start, last))) throw malformed(code, 'UTF-8', 'other bytes');
  return from.toString('utf8', start, last);
}

/** Any text without NUL. */
export const string: Type<string> = text('s', 'text without NUL', () => true);

/** Not as one expression, which a path of millions of elements would be too much for. */
function isObjectPath(text: string): boolean {
  return text === '/' || (/^\/[A-Za-z0-9_/]*$/.test(text) && !text.includes('//') && !text.endsWith('/'));
}

/** A D-Bus object path: `/`, or elements of letters, digits and `_`, each with a `/` in front. */
export const objectPath: Type<string> = text('o', 'an object path', isObjectPath);

/** A D-Bus signature: any number of type strings in a row. */
export const signature: Type<string> = text('g', 'a signature', isSignature);
