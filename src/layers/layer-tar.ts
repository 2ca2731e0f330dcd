/** A stored layer as an archive again: what was taken of it. */

import type { Sink } from '../base/from-writer.ts';
import {
  type Checksum,
  MutableTree,
  type ObjectReader,
  objectsOf,
  type Repository,
  type Xattrs,
} from '../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../tar/index.ts';
import { impliedOf } from './layer-tree.ts';

/** Labels are those of the host that runs it. */
const LABEL = 'security.selinux';

export interface LayerTarOptions {
  /** From a path in the tree to the one in the archive; undefined: they are the same. */
  readonly paths?: ((path: string) => string) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Whiteouts are the files that they are. Times are those of 1970, and files with the same content and attributes are one
 * file with several names: a digest is hardly ever the one that the layer came with. Equal layers give equal bytes.
 * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT; TarError
 */
export async function writeLayerTar(
  repository: Repository,
  commit: Checksum,
  sink: Sink,
  { paths = same, signal }: LayerTarOptions,
): Promise<void> {
  const reader = objectsOf(repository);
  const { metadata, rootTree, rootMeta } = reader.commit(commit);
  const writing = new Writing(reader, { tar: new TarWriter(sink), implied: impliedOf(metadata), paths, signal });
  await writing.directory(MutableTree.of(reader, { rootTree, rootMeta }), '');
  await writing.finish();
}

interface WritingParts {
  readonly tar: TarWriter;
  readonly implied: ReadonlySet<string>;
  readonly paths: (path: string) => string;
  readonly signal: AbortSignal;
}

class Writing {
  readonly #reader: ObjectReader;
  readonly #tar: TarWriter;
  readonly #implied: ReadonlySet<string>;
  readonly #paths: (path: string) => string;
  readonly #signal: AbortSignal;
  /** Where a content was written first; what is equal became one object, and one file it stays. */
  readonly #files = new Map<Checksum, string>();

  constructor(reader: ObjectReader, { tar, implied, paths, signal }: WritingParts) {
    this.#reader = reader;
    this.#tar = tar;
    this.#implied = implied;
    this.#paths = paths;
    this.#signal = signal;
  }

  /** @param path in the tree; the root is `` */
  async directory(tree: MutableTree, path: string): Promise<void> {
    this.#signal.throwIfAborted();
    if (tree.meta !== undefined && !this.#implied.has(path)) {
      const { mode, uid, gid, xattrs } = this.#reader.dirMeta(tree.meta);
      const attributes = { mode: mode & 0o7777, uid, gid, xattrs: tarXattrs(xattrs) };
      await this.#tar.add({ ...attributes, path: this.#inArchive(path), type: 'directory' });
    }
    for (const [name, entry] of tree.entries()) {
      const below = path === '' ? name : `${path}/${name}`;
      if (entry instanceof MutableTree) await this.directory(entry, below);
      else await this.#file(entry, this.#inArchive(below));
    }
  }

  #inArchive(path: string): string {
    return path === '' ? './' : this.#paths(path);
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

function same(path: string): string {
  return path;
}

function tarXattrs(xattrs: Xattrs): readonly (readonly [string, Uint8Array])[] {
  return xattrs.flatMap(([bytes, value]) => {
    const name = Buffer.from(bytes).toString();
    return name === LABEL ? [] : [[name, value] as const];
  });
}
