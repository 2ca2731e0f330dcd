/** Files that build tools mount into their containers leave empty ones behind (spec ostree-container 2.7). */
import { MutableTree, type ObjectReader } from '../../ostree/index.ts';

const ETC = ['usr', 'etc'];
/** A base that has an empty `hosts` of its own keeps it. */
const LEFT: readonly { readonly name: string; readonly unlessInBase: boolean }[] = [
  { name: 'hostname', unlessInBase: false },
  { name: 'resolv.conf', unlessInBase: false },
  { name: 'hosts', unlessInBase: true },
];

/** Remove `hostname`, `resolv.conf` and `hosts` from `usr/etc` where they are empty. @param base what was there before all layers */
export function removeBuildLeftovers(tree: MutableTree, reader: ObjectReader, base: MutableTree | undefined): void {
  const etc = tree.directory(ETC);
  if (etc === undefined) return;
  for (const { name, unlessInBase } of LEFT) {
    const file = etc.child(name);
    if (file === undefined || file instanceof MutableTree || !isEmptyFile(reader, file)) continue;
    if (!unlessInBase || base?.lookup([...ETC, name]) === undefined) etc.remove(name);
  }
}

function isEmptyFile(reader: ObjectReader, checksum: string): boolean {
  const stored = reader.file(checksum);
  stored.close();
  return stored.header.target === undefined && stored.size === 0;
}
