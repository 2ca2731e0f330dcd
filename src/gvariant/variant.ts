/** Values that carry their type with them, and the types that are made from type strings: neither does without the other. */
import { bytes } from './bytes.ts';
import { array } from './container/array.ts';
import { maybe } from './container/maybe.ts';
import { dictEntry, tuple } from './container/tuple.ts';
import { clip, GVariantError, malformed, unfit } from './error.ts';
import { deeper } from './framing.ts';
import { boolean, byte, double, handle, int16, int32, int64, uint16, uint32, uint64 } from './number.ts';
import { typeEnd } from './signature.ts';
import { objectPath, signature, string } from './string.ts';
import { defineType, type Type } from './type.ts';

/** A value of any type, as its serialised bytes. */
export interface Variant {
  readonly signature: string;
  /** The value alone; inside a variant a NUL and the signature follow. */
  readonly bytes: Uint8Array;
}

/** `v`: kept as it is, and checked in depth when its container is decoded; opened when wanted. */
export const variant: Type<Variant> = defineType<Variant>(
  { signature: 'v', alignment: 8, fixedSize: undefined, form: { kind: 'variant' } },
  {
    plain: false,
    read(from, start, end, level) {
      const { type, last } = checkVariant(from, start, end, level);
      return { signature: type.signature, bytes: from.subarray(start, last) };
    },
    check: checkVariant,
    write(to, value) {
      assertNormal(value);
      to.bytes(value.bytes);
      to.zeros(1);
      to.bytes(Buffer.from(value.signature, 'latin1'));
    },
  },
);

function checkVariant(from: Buffer, start: number, end: number, level: number): { type: Type<unknown>; last: number } {
  const found = splitVariant(from, start, end);
  const { type, last } = found;
  if (type.fixedSize !== undefined && type.fixedSize !== last - start)
    throw malformed('v', `${type.fixedSize} bytes of type ${clip(type.signature)}`, last - start);
  type.codec.check(from, start, last, deeper(level, 'v'));
  return found;
}

/** The type of what a variant holds, and where that ends. */
export function splitVariant(from: Buffer, start: number, end: number): { type: Type<unknown>; last: number } {
  let last = end - 1;
  while (last >= start && from[last] !== 0) last--;
  if (last < start) throw malformed('v', 'a NUL before the type string', 'none');
  const text = from.toString('latin1', last + 1, end);
  const type = findType(text);
  if (type === undefined) throw malformed('v', 'a type string', JSON.stringify(clip(text)));
  return { type, last };
}

/** Variants are plain data that anybody can make, and containers with a bad one inside would not be in normal form. */
function assertNormal(value: Variant): void {
  const type = findType(value.signature);
  if (type === undefined) throw unfit('v', 'a type string', JSON.stringify(clip(value.signature)));
  const { buffer, byteOffset, length } = value.bytes;
  if (type.fixedSize !== undefined && type.fixedSize !== length)
    throw unfit('v', `${type.fixedSize} bytes of type ${clip(type.signature)}`, `${length}`);
  try {
    type.codec.check(Buffer.from(buffer, byteOffset, length), 0, length, 1);
  } catch (error) {
    if (!(error instanceof GVariantError)) throw error;
    throw new GVariantError('GVARIANT_VALUE', `variant of type ${clip(type.signature)}: its bytes`, { cause: error });
  }
}

export function variantOf<T>(type: Type<T>, value: T): Variant {
  return { signature: type.signature, bytes: type.encode(value) };
}

/** Undefined when it holds another type. */
export function openVariant<T>(held: Variant, type: Type<T>): T | undefined {
  return held.signature === type.signature ? type.decode(held.bytes) : undefined;
}

/** GLib knows no limit. This one is far beyond use, and keeps the cost of hostile type strings small. */
const LONGEST = 0xffff;

const BASICS: ReadonlyMap<string, Type<unknown>> = new Map(
  [
    ...[byte, boolean, int16, uint16, int32, uint32, handle, int64, uint64, double],
    ...[string, objectPath, signature, variant, bytes],
  ].map((type): [string, Type<unknown>] => [type.signature, type]),
);

/** Types that occurred; few and short ones, since type strings come from outside. */
const known = new Map<string, Type<unknown>>();

/**
 * Any type by its type string, for values of unknown types. Where `ay` occurs its values are `Uint8Array`.
 * @throws GVariantError GVARIANT_TYPE
 */
export function parseType(text: string): Type<unknown> {
  const type = findType(text);
  if (type === undefined) throw new GVariantError('GVARIANT_TYPE', `${JSON.stringify(clip(text))} is no type string`);
  return type;
}

function findType(text: string): Type<unknown> | undefined {
  const found = BASICS.get(text) ?? known.get(text);
  if (found !== undefined) return found;
  if (text.length > LONGEST || typeEnd(text, 0) !== text.length) return undefined;
  const type = makeType(text, 0).type;
  if (known.size < 256 && text.length <= 64) known.set(text, type);
  return type;
}

/** The type that begins at `at`, and its end; the text is known to be well-formed. */
function makeType(text: string, at: number): { type: Type<unknown>; end: number } {
  const code = text.charAt(at);
  if (code === '(') return makeTuple(text, at + 1);
  if (code === '{') {
    const key = makeType(text, at + 1);
    const value = makeType(text, key.end);
    return { type: dictEntry(key.type, value.type), end: value.end + 1 };
  }
  if (code === 'a' || code === 'm') {
    const { type, end } = makeType(text, at + 1);
    return { type: code === 'm' ? maybe(type) : type === byte ? bytes : array(type), end };
  }
  const type = BASICS.get(code);
  if (type === undefined) throw new Error(`unreachable: type code ${JSON.stringify(code)}`);
  return { type, end: at + 1 };
}

function makeTuple(text: string, first: number): { type: Type<unknown>; end: number } {
  const members: Type<unknown>[] = [];
  let at = first;
  while (text.charAt(at) !== ')') {
    const { type, end } = makeType(text, at);
    members.push(type);
    at = end;
  }
  return { type: tuple(...members), end: at + 1 };
}
