/** GVariant: the serialised form of all OSTree metadata, and its text form. */
export { bytes } from './bytes.ts';
export { array } from './container/array.ts';
export { type Just, maybe } from './container/maybe.ts';
export { dictEntry, tuple } from './container/tuple.ts';
export { GVariantError, type GVariantErrorCode } from './error.ts';
export {
  boolean,
  byte,
  double,
  handle,
  int16,
  int32,
  int64,
  uint16,
  uint32,
  uint32be,
  uint64,
  uint64be,
} from './number.ts';
export { objectPath, signature, string } from './string.ts';
export { formatVariant } from './text/format.ts';
export { parseVariantText } from './text/parse.ts';
export type { Type } from './type.ts';
export { lookup, type Vardict, vardict, withEntry } from './vardict.ts';
export { openVariant, parseType, type Variant, variant, variantOf } from './variant.ts';
