/**
 * A value with the bytes of every number in it reversed, as `g_variant_byteswap` does. OSTree stores its own numbers
 * big-endian in containers that are little-endian: only so they read right, and others read wrong.
 */
import { parseType, type Variant } from '../../gvariant/index.ts';

type AnyType = ReturnType<typeof parseType>;

/** @throws GVariantError for what is not in normal form */
export function byteswapVariant({ signature, bytes }: Variant): Variant {
  const type = parseType(signature);
  return { signature, bytes: type.encode(swap(type, type.decode(bytes))) };
}

function swap(type: AnyType, value: unknown): unknown {
  const { form } = type;
  switch (form.kind) {
    case 'basic':
      return swapNumber(type, value);
    case 'variant':
      return byteswapVariant(value as Variant); // what the type `v` decodes to
    case 'array':
      return Array.isArray(value) ? value.map((element) => swap(form.element, element)) : value; // `ay` is bytes
    case 'maybe':
      return isJust(value) ? { ...value, just: swap(form.element, value.just) } : value;
    case 'tuple':
    case 'entry': {
      const members: readonly AnyType[] = form.members;
      return (value as readonly unknown[]).map((member, i) => {
        const inner = members[i];
        return inner === undefined ? member : swap(inner, member);
      });
    }
  }
}

function isJust(value: unknown): value is { readonly just: unknown } {
  return typeof value === 'object' && value !== null && 'just' in value;
}

/** Numbers of more than one byte; strings and booleans have no order of bytes. */
function swapNumber(type: AnyType, value: unknown): unknown {
  if (!'nqiuhxtd'.includes(type.signature)) return value;
  return type.decode(Buffer.from(type.encode(value)).reverse());
}
