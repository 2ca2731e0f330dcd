/** A stored layer as an archive again: what was taken of it, at the paths of a container. */

import { impliedOf } from '../../../layers/index.ts';
import {
  type Checksum,
  MutableTree,
  type ObjectReader,
  objectsOf,
  type Repository,
  type Xattrs,
} from '../../../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../../../tar/index.ts';
import type { Sink } from '../../stream/index.ts';

/** Labels are those of the host that runs it. */
const LABEL = 'security.selinux';

/** Whiteouts are the files that they are. Equal layers give equal bytes. @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT; TarError */
export async function writeDerivedTar(
  repository: Repository,
  commit: Checksum,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const reader = objectsOf(repository);
  const { metadata, rootTree, rootMeta } = reader.commit(commit);
  const writing = new Writing(reader, new TarWriter(sink), impliedOf(metadata), signal);
  await writing.directory(MutableTree.of(reader, { rootTree, rootMeta }), '');
  await writing.finish();
}

class Writing {
  readonly #reader: ObjectReader;
  readonly #tar: TarWriter;
  readonly #implied: ReadonlySet<string>;
  readonly #signal: AbortSignal;
  /** Where a content was written first; what is equal became one object, and one file it stays. */
  readonly #files = new Map<Checksum, string>();

  constructor(reader: ObjectReader, tar: TarWriter, implied: ReadonlySet<string>, signal: AbortSignal) {
    this.#reader = reader;
    this.#tar = tar;
    this.#implied = implied;
    this.#signal = signal;
  }

  /** @param path in the tree; the root is `` */
  async directory(tree: MutableTree, path: string): Promise<void> {
    this.#signal.throwIfAborted();
    if (tree.meta !== undefined && !this.#implied.has(path)) {
      const { mode, uid, gid, xattrs } = this.#reader.dirMeta(tree.meta);
      const attributes = { mode: mode & 0o7777, uid, gid, xattrs: tarXattrs(xattrs) };
      await this.#tar.add({ ...attributes, path: inContainer(path), type: 'directory' });
    }
    for (const [name, entry] of tree.entries()) {
      const below = path === '' ? name : `${path}/${name}`;
      if (entry instanceof MutableTree) await this.directory(entry, below);
      else await this.#file(entry, inContainer(below));
    }
  }

  finish(): Promise<void> {
    return this.#tar.finish();
  }

  async #file(checksum: Checksum, path: string): Promise<void> {
    const stored = this.#reader.file(checksum);
    try {
      const { header, size } = stored;
      const { uid, gid, mode, target } = header;
      const attributes = { path, mode: mode & 0o7777, uid, gid };
      const first = this.#files.get(checksum);
      if (first !== undefined) {
        await this.#tar.add({ ...attributes, type: 'hardlink', linkTarget: first });
        return;
      }
      const entry: TarWriterEntry = { ...attributes, type: 'file', xattrs: tarXattrs(header.xattrs) };
      if (target !== undefined) await this.#tar.add({ ...entry, type: 'symlink', linkTarget: target });
      else await this.#tar.add({ ...entry, size }, stored.chunks());
      if (target === undefined && size > 0) this.#files.set(checksum, path);
    } finally {
      stored.close();
    }
  }
}

function inContainer(path: string): string {
  if (path === '') return './';
  return path === 'usr/etc' || path.startsWith('usr/etc/') ? path.slice('usr/'.length) : path;
}

function tarXattrs(xattrs: Xattrs): readonly (readonly [string, Uint8Array])[] {
  return xattrs.flatMap(([bytes, value]) => {
    const name = Buffer.from(bytes).toString();
    return name === LABEL ? [] : [[name, value] as const];
  });
}
