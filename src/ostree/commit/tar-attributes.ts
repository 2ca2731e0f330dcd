/** Owner, mode and extended attributes of an archive's entry, as objects have them. */
import fs from 'node:fs';
import type { TarEntry, TarEntryType } from '../../tar/index.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../objects/file-header.ts';
import { canonicalXattrs } from '../objects/xattrs.ts';
import type { Attributes } from './modifiers.ts';

/** Of those that cannot be committed, too: they may be on the list of what is left out. */
const TYPE_BITS: Readonly<Record<TarEntryType, number>> = {
  file: S_IFREG,
  symlink: S_IFLNK,
  hardlink: S_IFREG,
  directory: S_IFDIR,
  character: fs.constants.S_IFCHR,
  block: fs.constants.S_IFBLK,
  fifo: fs.constants.S_IFIFO,
};

export function attributesOf({
  type,
  mode,
  uid,
  gid,
  xattrs,
}: Pick<TarEntry, 'type' | 'mode' | 'uid' | 'gid' | 'xattrs'>): Attributes {
  // Links have no permissions of their own on Linux, whatever the archive says.
  const permissions = type === 'symlink' ? 0o777 : mode;
  const canonical = canonicalXattrs(xattrs.map(([name, value]) => [Buffer.from(name), value] as const));
  return { uid, gid, mode: TYPE_BITS[type] | permissions, xattrs: canonical };
}
