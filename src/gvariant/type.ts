import { malformed } from './error.ts';
import { beginDecoding } from './framing.ts';
import { Writer } from './writer.ts';

/** A GVariant type that can be read and written. Values are immutable plain data. */
export interface Type<T> {
  /** The type string: `a{sv}`. */
  readonly signature: string;
  readonly alignment: Alignment;
  /** Bytes, undefined for types whose values differ in size. */
  readonly fixedSize: number | undefined;
  /** What it is made of, for those who walk types that they do not know. */
  readonly form: Form;
  /** The type as a part of a container; only this domain uses it. */
  readonly codec: Codec<T>;
  /** Strict: only normal form is read. @throws GVariantError GVARIANT_MALFORMED */
  decode(bytes: Uint8Array): T;
  /** Always normal form. @throws GVariantError GVARIANT_VALUE when the type cannot hold the value */
  encode(value: T): Uint8Array;
}

export type Alignment = 1 | 2 | 4 | 8;

export type Form =
  | { readonly kind: 'basic' | 'variant' }
  | { readonly kind: 'array' | 'maybe'; readonly element: Type<unknown> }
  | { readonly kind: 'tuple'; readonly members: readonly Type<unknown>[] }
  | { readonly kind: 'entry'; readonly members: readonly [key: Type<unknown>, value: Type<unknown>] };

/**
 * How a container handles a child that lies at `start`..`end` of `from`. For a type of fixed size the container has
 * made sure that the size is right. `level` counts the containers around the child.
 */
export interface Codec<T> {
  /** Any bytes of the right size are a value, so there is nothing to look at one by one. */
  readonly plain: boolean;
  read(from: Buffer, start: number, end: number, level: number): T;
  /** Like `read`, without making a value. */
  check(from: Buffer, start: number, end: number, level: number): void;
  /** The writer stands where the child begins, at a multiple of its alignment. */
  write(to: Writer, value: T): void;
}

/** The four properties that make a type. */
export type Traits = Pick<Type<unknown>, 'signature' | 'alignment' | 'fixedSize' | 'form'>;

export function defineType<T>(traits: Traits, codec: Codec<T>): Type<T> {
  const { signature, fixedSize } = traits;
  return {
    ...traits,
    codec,
    decode(bytes) {
      const { length } = bytes;
      if (fixedSize !== undefined && length !== fixedSize) throw malformed(signature, `${fixedSize} bytes`, length);
      beginDecoding();
      return codec.read(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length, 0);
    },
    encode(value) {
      const writer = new Writer(fixedSize ?? 256); // 256: most metadata fits, larger ones double their way up
      codec.write(writer, value);
      return writer.finish();
    },
  };
}
