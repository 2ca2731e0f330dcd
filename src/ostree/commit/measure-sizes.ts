/** Sizes of all objects of a tree, as an archive holds them. */
import type { Variant } from '../../gvariant/index.ts';
import { Reach, reachTree } from '../history/reach.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeSizes, type ObjectSize } from '../objects/sizes.ts';
import { missing, type ObjectReader } from '../storage/object-reader.ts';
import type { Root } from './mutable-tree.ts';
import type { Tally } from './tally.ts';

/** @throws OstreeError OBJECT_MISSING */
export function measureSizes(reader: ObjectReader, root: Root, tally: Tally): Variant {
  const reach = new Reach();
  reachTree(reader, root, reach);
  const sizes: ObjectSize[] = [...reach.files].map((checksum) => sizeOfFile(reader, checksum, tally));
  for (const checksum of reach.dirTrees) sizes.push(sizeOfMetadata(reader, checksum, 'dirtree'));
  for (const checksum of reach.dirMetas) sizes.push(sizeOfMetadata(reader, checksum, 'dirmeta'));
  return encodeSizes(sizes);
}

function sizeOfFile(reader: ObjectReader, checksum: Checksum, tally: Tally): ObjectSize {
  const known = tally.sizes.get(checksum);
  // An empty file and a link both have no content, and a link counts with its target.
  if (known !== undefined && known.size > 0) {
    return { checksum, type: 'file', archived: known.storedSize, unpacked: known.size };
  }
  const stored = reader.file(checksum);
  try {
    const { target } = stored.header;
    const unpacked = target === undefined ? stored.size : Buffer.byteLength(target);
    return { checksum, type: 'file', archived: stored.storedSize, unpacked };
  } finally {
    stored.close();
  }
}

function sizeOfMetadata(reader: ObjectReader, checksum: Checksum, type: 'dirtree' | 'dirmeta'): ObjectSize {
  const found = reader.find(checksum, type);
  if (found === undefined) throw missing(checksum, type);
  return { checksum, type, archived: found.stats.size, unpacked: found.stats.size };
}
