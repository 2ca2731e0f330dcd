/**
 * Values as text, straight from their bytes. A type is written where the text alone would be read as another one.
 * Source: "GVariant Text Format" in GLib's reference documentation; the result is that of `g_variant_print(v, TRUE)`.
 */
import { eachElement } from '../container/array.ts';
import { justEnd } from '../container/maybe.ts';
import { eachMember, layOut } from '../container/tuple.ts';
import { boolean, byte, double, handle, int16, int32, int64, uint16, uint32, uint64 } from '../number.ts';
import { objectPath, signature, string } from '../string.ts';
import type { Type } from '../type.ts';
import { parseType, splitVariant, type Variant } from '../variant.ts';
import { formatDouble } from './double.ts';
import { quoteBytes, quoteText } from './quote.ts';

/**
 * A value as text that `parseVariantText` reads back: `'text'`, `uint32 5`, `[byte 0x01, 0x02]`, `{'a': <1>}`, `@as []`.
 * @param typed false: the outermost type is left off, as `g_variant_print(v, FALSE)` does
 * @throws GVariantError GVARIANT_MALFORMED, GVARIANT_TYPE for a variant that was not decoded but made up
 */
export function formatVariant(held: Variant, typed = true): string {
  const type = parseType(held.signature);
  const { buffer, byteOffset, length } = held.bytes;
  type.decode(held.bytes); // all that follows relies on normal form
  return format(type, { from: Buffer.from(buffer, byteOffset, length), start: 0, end: length }, typed);
}

interface Place {
  readonly from: Buffer;
  readonly start: number;
  readonly end: number;
}

/** `typed`: nothing around the value tells its type. */
function format(type: Type<unknown>, place: Place, typed: boolean): string {
  const { form } = type;
  switch (form.kind) {
    case 'basic':
      return formatBasic(type.signature, place, typed);
    case 'variant':
      return formatHeld(place);
    case 'maybe':
      return (typed ? `@${type.signature} ` : '') + formatMaybe(form.element, place).text;
    case 'array':
      return formatArray(form.element, place, typed);
    case 'tuple': {
      const texts = formatMembers(type, form.members, place, typed);
      return `(${texts.join(', ')}${texts.length === 1 ? ',' : ''})`;
    }
    case 'entry':
      return `{${formatMembers(type, form.members, place, typed).join(', ')}}`;
  }
}

function formatHeld({ from, start, end }: Place): string {
  const { type, last } = splitVariant(from, start, end);
  return `<${format(type, { from, start, end: last }, true)}>`;
}

/** `just` is written only where it tells how deep the nothing lies. */
function formatMaybe(element: Type<unknown>, { from, start, end }: Place): { text: string; nothing: boolean } {
  const last = justEnd(element, from, start, end);
  if (last === undefined) return { text: 'nothing', nothing: true };
  const place = { from, start, end: last };
  if (element.form.kind !== 'maybe') return { text: format(element, place, false), nothing: false };
  const inner = formatMaybe(element.form.element, place);
  return inner.nothing ? { text: `just ${inner.text}`, nothing: true } : inner;
}

function formatArray(element: Type<unknown>, { from, start, end }: Place, typed: boolean): string {
  // Looked for in these bytes alone, or each of many strings would search the rest of the value.
  if (element.signature === 'y' && end > start && from.subarray(start, end).indexOf(0) === end - start - 1)
    return quoteBytes(from.subarray(start, end - 1));
  const isDict = element.form.kind === 'entry';
  const [open, close] = isDict ? '{}' : '[]';
  if (start === end) return `${typed ? `@a${element.signature} ` : ''}${open}${close}`;
  const texts: string[] = [];
  eachElement(element, from, start, end, (first, last) => {
    const place = { from, start: first, end: last };
    const alone = typed && texts.length === 0; // the others are of the same type
    texts.push(isDict ? formatEntry(element, place, alone) : format(element, place, alone));
  });
  return `${open}${texts.join(', ')}${close}`;
}

function formatEntry(entry: Type<unknown>, place: Place, typed: boolean): string {
  return entry.form.kind === 'entry' ? formatMembers(entry, entry.form.members, place, typed).join(': ') : '';
}

function formatMembers(
  { signature: text }: Type<unknown>,
  members: readonly Type<unknown>[],
  { from, start, end }: Place,
  typed: boolean,
): string[] {
  const texts: string[] = [];
  eachMember(layOut(text, members), from, start, end, (member, first, last) =>
    texts.push(format(member, { from, start: first, end: last }, typed)),
  );
  return texts;
}

function formatBasic(code: string, { from, start, end }: Place, typed: boolean): string {
  const read = <T>(type: Type<T>): T => type.codec.read(from, start, end, 0);
  const named = (name: string, text: string): string => (typed ? `${name} ${text}` : text);
  switch (code) {
    case 'b':
      return `${read(boolean)}`;
    case 'y':
      return named('byte', `0x${read(byte).toString(16).padStart(2, '0')}`);
    case 'n':
      return named('int16', `${read(int16)}`);
    case 'q':
      return named('uint16', `${read(uint16)}`);
    case 'i':
      return `${read(int32)}`; // what a number is taken for
    case 'u':
      return named('uint32', `${read(uint32)}`);
    case 'h':
      return named('handle', `${read(handle)}`);
    case 'x':
      return named('int64', `${read(int64)}`);
    case 't':
      return named('uint64', `${read(uint64)}`);
    case 'd':
      return formatDouble(read(double), from.readInt8(end - 1) < 0);
    case 's':
      return quoteText(read(string));
    case 'o':
      return named('objectpath', `'${read(objectPath)}'`);
    case 'g':
      return named('signature', `'${read(signature)}'`);
    default:
      throw new Error(`unreachable: type code ${code}`);
  }
}
