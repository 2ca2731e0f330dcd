/** Trees in the words of the vectors' manifest. */
import crypto from 'node:crypto';
import type { VectorEntry } from '../../test/support/ostree-vectors.ts';
import type { ObjectReader } from './storage/object-reader.ts';

/** A directory and everything below it. */
export function entriesOf(reader: ObjectReader, path: string, tree: string, meta: string): VectorEntry[] {
  const { uid, gid, mode, xattrs } = reader.dirMeta(meta);
  const own: VectorEntry = {
    path,
    type: 'dir',
    mode: mode.toString(8),
    uid,
    gid,
    xattrs: named(xattrs),
    dirtree: tree,
    dirmeta: meta,
  };
  const { files, directories } = reader.dirTree(tree);
  const below = (name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);
  return [
    own,
    ...files.map(({ name, checksum }) => fileEntry(reader, below(name), checksum)),
    ...directories.flatMap((entry) => entriesOf(reader, below(entry.name), entry.tree, entry.meta)),
  ];
}

function fileEntry(reader: ObjectReader, path: string, object: string): VectorEntry {
  const stored = reader.file(object);
  try {
    const { uid, gid, mode, target, xattrs } = stored.header;
    const common = { path, mode: mode.toString(8), uid, gid, xattrs: named(xattrs), object };
    if (target !== undefined) return { ...common, type: 'symlink', target };
    const content = stored.bytes();
    const sha256 = crypto.createHash('sha256').update(content).digest('hex');
    return { ...common, type: 'file', size: content.length, sha256 };
  } finally {
    stored.close();
  }
}

function named(xattrs: readonly (readonly [Uint8Array, Uint8Array])[]): Record<string, string> {
  return Object.fromEntries(
    xattrs.map(([name, value]) => [Buffer.from(name).toString(), Buffer.from(value).toString('hex')]),
  );
}
