/** The layer of the root file system, out of the repository's metadata: whoever builds needs no rights over files. */
import type { Checksum, DirMeta, ObjectReader } from '../../../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../../../tar/index.ts';
import { checkedContent, containerXattrs } from '../../stream/index.ts';
import type { Place } from '../format/places.ts';
import { openDeflated, ROOM } from './deflated-content.ts';
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
  entries: readonly LayerEntry[],
  members: GzipMembers,
  options: FilesOptions,
): Promise<void> {
  const files = new FilesWriter(reader, members, repeatedBelowUsr(entries), options);
  for (const entry of entries) {
    options.signal.throwIfAborted();
    await files.add(entry);
  }
  await files.finish();
}

function repeatedBelowUsr(entries: readonly LayerEntry[]): ReadonlySet<Checksum> {
  const seen = new Set<Checksum>();
  const repeated = new Set<Checksum>();
  for (const entry of entries) {
    if (entry.kind !== 'file' || !isBelowUsr(entry.path)) continue;
    (seen.has(entry.checksum) ? repeated : seen).add(entry.checksum);
  }
  return repeated;
}

function isBelowUsr(path: string): boolean {
  return path.startsWith('usr/');
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
  /** Contents that come more than once; of the others nothing is remembered. */
  readonly #repeated: ReadonlySet<Checksum>;
  /** Where such a content lies already, and how many names it has. */
  readonly #written = new Map<Checksum, { path: string; names: number; entry: TarWriterEntry }>();
  /** Used again by each content that is taken as it lies. */
  readonly #room = Buffer.allocUnsafeSlow(ROOM);
  #done = 0;

  constructor(reader: ObjectReader, members: GzipMembers, repeated: ReadonlySet<Checksum>, options: FilesOptions) {
    this.#reader = reader;
    this.#members = members;
    this.#repeated = repeated;
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
      const data = size < WORTHWHILE ? checkedContent(checksum, stored) : this.#asItLies(checksum);
      const entry: TarWriterEntry =
        target === undefined
          ? { ...attributes, type: 'file', size }
          : { ...attributes, mode: 0o777, type: 'symlink', linkTarget: target };
      await this.#tar.add(entry, target === undefined ? data : undefined);
      if (target === undefined && size > 0 && isBelowUsr(path) && this.#repeated.has(checksum)) {
        this.#written.set(checksum, { path, names: 1, entry });
      }
      this.#done += size;
      this.#options.onBytes?.(this.#done);
    } finally {
      stored.close();
    }
  }

  /** An archive has the content packed already. What it unpacks to is checked on the way. */
  async *#asItLies(checksum: Checksum): AsyncGenerator<Uint8Array> {
    const packed = openDeflated(this.#reader, checksum, this.#room);
    try {
      const content = checkedContent(checksum, packed);
      await this.#members.beginBody();
      if (content instanceof Uint8Array) yield content;
      else yield* content;
      await this.#members.endBody(packed.deflated());
    } finally {
      packed.close();
    }
  }
}
