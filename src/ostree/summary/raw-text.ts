/**
 * Values as `ostree` prints them with `--raw`: all numbers with their bytes swapped, since most that OSTree stores are
 * big-endian. (Those that are not come out wrong, there as here.)
 */
import { formatVariant, type Just, parseType, type Type, type Variant } from '../../gvariant/index.ts';

/** The text of a value of any type, its numbers big-endian. @throws GVariantError GVARIANT_MALFORMED */
export function formatRaw(held: Variant): string {
  return formatVariant(swapVariant(held));
}

export function swapVariant({ signature, bytes }: Variant): Variant {
  const type = parseType(signature);
  return { signature, bytes: type.encode(swap(type, type.decode(bytes))) };
}

function swap(type: Type<unknown>, value: unknown): unknown {
  const { form, fixedSize = 1 } = type;
  switch (form.kind) {
    case 'basic':
      return fixedSize === 1 ? value : type.decode(Buffer.from(type.encode(value)).reverse());
    case 'variant':
      return swapVariant(value as Variant);
    case 'maybe':
      return value === undefined ? undefined : swapJust(form.element, value as Just<unknown>);
    case 'array':
      return value instanceof Uint8Array ? value : (value as unknown[]).map((each) => swap(form.element, each));
    case 'tuple':
    case 'entry':
      return (value as unknown[]).map((each, i) => swapMember(form.members[i], each));
  }
}

function swapJust(element: Type<unknown>, { just }: Just<unknown>): Just<unknown> {
  return { just: swap(element, just) };
}

function swapMember(type: Type<unknown> | undefined, value: unknown): unknown {
  if (type === undefined) throw new Error('unreachable: a tuple with more values than members');
  return swap(type, value);
}
