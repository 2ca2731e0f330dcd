/** The layer of the root file system, out of the repository's metadata: whoever builds needs no rights over files. */
import type { Checksum, DirMeta, ObjectReader } from '../../../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../../../tar/index.ts';
import { checkedContent, containerXattrs } from '../../stream/index.ts';
import type { Place } from '../format/places.ts';
import { deflatedContent } from './deflated-content.ts';
import type { GzipMembers } from './gzip-members.ts';

export type LayerEntry =
  | Place
  /** Takes away what a lower layer has there. */
  | { readonly kind: 'whiteout'; readonly path: string };

export interface FilesOptions {
  readonly signal: AbortSignal;
  /** Bytes of contents so far. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

/**
 * Equal calls give equal bytes. Equal files below `usr` are hard links, for nobody writes there; others are files of
 * their own, or a change of one would be a change of all. Times are 0, as in a checkout: layers of equal files are
 * equal.
 * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED; TarError TAR_NAME
 */
export async function writeFiles(
  reader: ObjectReader,
  entries: Iterable<LayerEntry>,
  members: GzipMembers,
  options: FilesOptions,
): Promise<void> {
  const files = new FilesWriter(reader, members, options);
  for (const entry of entries) {
    options.signal.throwIfAborted();
    await files.add(entry);
  }
  await files.finish();
}

/** Most file systems end at 65000 names of one file. */
const MOST_LINKS = 50_000;

/** Smaller ones are packed together with their neighbours: a member of its own would cost more than it saves. */
const WORTHWHILE = 32 * 1024;

class FilesWriter {
  readonly #reader: ObjectReader;
  readonly #members: GzipMembers;
  readonly #tar: TarWriter;
  readonly #options: FilesOptions;
  /** Where a content lies already, and how many names it has. */
  readonly #written = new Map<Checksum, { path: string; names: number; entry: TarWriterEntry }>();
  #done = 0;

  constructor(reader: ObjectReader, members: GzipMembers, options: FilesOptions) {
    this.#reader = reader;
    this.#members = members;
    this.#tar = new TarWriter(members.write);
    this.#options = options;
  }

  add(entry: LayerEntry): Promise<void> {
    switch (entry.kind) {
      case 'directory':
        return this.#directory(entry.path, entry.meta);
      case 'whiteout':
        return this.#tar.add({ path: entry.path, type: 'file', mode: 0o644, uid: 0, gid: 0 });
      case 'file':
        return this.#file(entry.path, entry.checksum);
    }
  }

  finish(): Promise<void> {
    return this.#tar.finish();
  }

  #directory(path: string, { mode, uid, gid, xattrs }: DirMeta): Promise<void> {
    const shown = path === '' ? './' : path;
    const attributes = { mode: mode & 0o7777, uid, gid, xattrs: containerXattrs(xattrs) };
    return this.#tar.add({ path: shown, type: 'directory', ...attributes });
  }

  async #file(path: string, checksum: Checksum): Promise<void> {
    const before = this.#written.get(checksum);
    if (before !== undefined && before.names < MOST_LINKS) {
      before.names++;
      const { xattrs: _, size: __, ...entry } = before.entry;
      await this.#tar.add({ ...entry, path, type: 'hardlink', linkTarget: before.path });
      return;
    }
    const stored = this.#reader.file(checksum);
    try {
      const { header, size } = stored;
      const { uid, gid, target } = header;
      const attributes = { path, mode: header.mode & 0o7777, uid, gid, xattrs: containerXattrs(header.xattrs) };
      const content = checkedContent(checksum, stored);
      const data = size < WORTHWHILE ? content : this.#asItLies(checksum, content);
      const entry: TarWriterEntry =
        target === undefined
          ? { ...attributes, type: 'file', size }
          : { ...attributes, mode: 0o777, type: 'symlink', linkTarget: target };
      await this.#tar.add(entry, target === undefined ? data : undefined);
      if (target === undefined && size > 0 && path.startsWith('usr/')) {
        this.#written.set(checksum, { path, names: 1, entry });
      }
      this.#done += size;
      this.#options.onBytes?.(this.#done);
    } finally {
      stored.close();
    }
  }

  /** An archive has the content packed already. What it unpacks to is checked on the way. */
  async *#asItLies(checksum: Checksum, content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    await this.#members.beginBody();
    if (content instanceof Uint8Array) yield content;
    else yield* content;
    await this.#members.endBody(deflatedContent(this.#reader, checksum));
  }
}
