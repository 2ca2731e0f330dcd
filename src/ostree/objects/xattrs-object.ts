/**
 * Extended attributes as an object of their own (`.file-xattrs` of mode `bare-split-xattrs`): the bare `a(ayay)`, whose
 * SHA-256 is its name. No attributes are no bytes at all.
 */
import { decodeStrictly } from './file-header.ts';
import { packXattrs, unpackXattrs, XATTRS, type Xattrs } from './xattrs.ts';

/** @throws OstreeError OBJECT_MALFORMED */
export function decodeXattrs(object: Uint8Array, what: string): Xattrs {
  return unpackXattrs(
    decodeStrictly(() => XATTRS.decode(object), what),
    what,
  );
}

export function encodeXattrs(xattrs: Xattrs): Uint8Array {
  return XATTRS.encode(packXattrs(xattrs));
}
