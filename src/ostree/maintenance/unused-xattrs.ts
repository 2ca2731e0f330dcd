/** Attributes in `bare-split-xattrs`: `file-xattrs` objects, and a hard link to one of them beside each file. */
import fs from 'node:fs';
import type { Checksum } from '../objects/checksum.ts';
import { objectPath } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';
import type { Inventory } from './inventory.ts';

/** Those that no file uses once these links are gone. (libostree leaves them.) */
export function unusedXattrs(
  repository: Repository,
  inventory: Inventory,
  doomedLinks: readonly Checksum[],
): readonly Checksum[] {
  const all = inventory.of('file-xattrs');
  if (all.size === 0) return [];
  const doomed = new Map<number, number>();
  for (const link of doomedLinks) {
    const { ino } = fs.lstatSync(`${repository.root}/objects/${objectPath(link, 'file-xattrs-link')}`);
    doomed.set(ino, (doomed.get(ino) ?? 0) + 1);
  }
  return [...all].filter((checksum) => {
    const { ino, nlink } = fs.lstatSync(`${repository.root}/objects/${objectPath(checksum, 'file-xattrs')}`);
    return nlink - (doomed.get(ino) ?? 0) <= 1;
  });
}
