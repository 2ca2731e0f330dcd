import { GVariantError } from '../error.ts';
import type { Variant } from '../variant.ts';
import { parseSyntax } from './syntax.ts';
import { variantIn } from './value.ts';

/**
 * The value that a text in GVariant text format describes: `'text'`, `uint32 5`, `[byte 0x01, 0x02]`, `{'a': <1>}`,
 * `('x', true)`, `@as []`, `b'bytes'`, `just 1`. Integers are `int32` unless something tells otherwise.
 * @throws GVariantError GVARIANT_TEXT
 */
export function parseVariantText(text: string): Variant {
  try {
    return variantIn(parseSyntax(text));
  } catch (error) {
    // A syntactically sound value may still be one that its type cannot hold, such as an object path without a slash.
    if (!(error instanceof GVariantError) || error.code === 'GVARIANT_TEXT') throw error;
    throw new GVariantError('GVARIANT_TEXT', 'text of a value', { cause: error });
  }
}
