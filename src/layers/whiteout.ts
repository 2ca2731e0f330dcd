/**
 * Names by which a layer takes away what is in the layers below (OCI image specification, layer.md): `.wh.NAME` hides
 * NAME, `.wh..wh..opq` everything in its directory. No other name may begin so.
 */

/** `none`: a name like any other. `ignored`: AUFS' own files (`.wh..wh.plnk`), or no name behind the prefix. */
export type Whiteout =
  | { readonly kind: 'none' | 'opaque' | 'ignored' }
  | { readonly kind: 'hides'; readonly name: string };

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

export function whiteoutOf(name: string): Whiteout {
  if (!isReserved(name)) return { kind: 'none' };
  if (name === OPAQUE) return { kind: 'opaque' };
  const hidden = name.slice(PREFIX.length);
  const isName = hidden !== '' && hidden !== '.' && hidden !== '..' && !isReserved(hidden);
  return isName ? { kind: 'hides', name: hidden } : { kind: 'ignored' };
}

/** Does the name mean something to whoever applies the layer? */
export function isReserved(name: string): boolean {
  return name.startsWith(PREFIX);
}

export function whiteoutFor(name: string): string {
  return `${PREFIX}${name}`;
}
