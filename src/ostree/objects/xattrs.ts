/** Extended attributes as OSTree holds them: GVariant `a(ayay)`, names with a trailing NUL, sorted bytewise, unique. */
import { array, bytes, tuple } from '../../gvariant/index.ts';
import { malformed } from '../error.ts';

/** Names here are without their NUL. */
export type Xattr = readonly [name: Uint8Array, value: Uint8Array];
export type Xattrs = readonly Xattr[];

export const NO_XATTRS: Xattrs = [];

/** The wire form; its members go through `packXattrs` and `unpackXattrs`. */
export const XATTRS = array(tuple(bytes, bytes));

const NUL = new Uint8Array(1);

export function packXattrs(xattrs: Xattrs): readonly (readonly [Uint8Array, Uint8Array])[] {
  return xattrs.length === 0 ? NO_XATTRS : xattrs.map(([name, value]) => [Buffer.concat([name, NUL]), value]);
}

/** @throws OstreeError OBJECT_MALFORMED for names without NUL, empty, unsorted or twice */
export function unpackXattrs(packed: readonly (readonly [Uint8Array, Uint8Array])[], what: string): Xattrs {
  if (packed.length === 0) return NO_XATTRS;
  let last: Uint8Array | undefined;
  return packed.map(([packedName, value]) => {
    const end = packedName.length - 1;
    if (end < 1 || packedName.indexOf(0) !== end) {
      throw malformed(what, 'an extended attribute whose name is empty or does not end in NUL');
    }
    const name = packedName.subarray(0, end);
    if (last !== undefined && Buffer.compare(last, name) >= 0) {
      throw malformed(what, 'extended attributes that are not in order, or twice');
    }
    last = name;
    return [name, value];
  });
}

/** The canonical form of attributes from elsewhere: sorted, and without empty values, which libostree never stores. */
export function canonicalXattrs(xattrs: Iterable<Xattr>): Xattrs {
  const kept = [...xattrs].filter(([, value]) => value.length > 0);
  return kept.length === 0 ? NO_XATTRS : kept.sort(([a], [b]) => Buffer.compare(a, b));
}

export function sameXattrs(a: Xattrs, b: Xattrs): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], i) => {
      const other = b[i];
      return other !== undefined && Buffer.compare(name, other[0]) === 0 && Buffer.compare(value, other[1]) === 0;
    })
  );
}
