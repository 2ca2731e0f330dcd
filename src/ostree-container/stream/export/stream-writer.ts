/**
 * The pieces of an export stream of format v1, in whatever order a layer wants them (spec ostree-container 2.1, 2.4).
 * Equal calls give equal bytes. What is read is held against its checksum on the way.
 */
import {
  type Checksum,
  type DirMeta,
  decodeCommit,
  decodeDirMeta,
  encodeXattrs,
  type ObjectReader,
  sha256,
  type Xattrs,
} from '../../../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../../../tar/index.ts';
import { checkedContent } from '../checked-content.ts';
import { CONFIG, CONFIG_PATH, objectPath, SKELETON } from '../layout.ts';
import { Gathered, type Sink } from './gathered.ts';
import { containerXattrs } from './pax-xattrs.ts';
import { hasVarTmp, readMetadata, treeSteps } from './tree-steps.ts';

/** A content object as it stands in the stream, for the links to it. */
type WrittenFile = Pick<TarWriterEntry, 'mode' | 'uid' | 'gid' | 'xattrs'> & {
  /** Where links go: to the object, or to a copy when it has as many as there may be. */
  linkTarget: string;
  links: number;
  /** A regular file without content gets no links: whoever touches one of them would drag all others along. */
  readonly isEmpty: boolean;
};

const ROOT_OWNED = { mode: 0o644, uid: 0, gid: 0 } as const;
/** Links to one file; ext4 ends at 65000, and then nobody could unpack the stream. */
const MOST_LINKS = 50_000;

export interface StreamCounts {
  /** Commit, dirtree and dirmeta objects. */
  metadata: number;
  contents: number;
  /** Bytes of all contents. */
  contentBytes: number;
}

export class StreamWriter {
  readonly counts: StreamCounts = { metadata: 0, contents: 0, contentBytes: 0 };
  readonly #reader: ObjectReader;
  readonly #signal: AbortSignal;
  readonly #gathered: Gathered;
  readonly #tar: TarWriter;
  readonly #metadata = new Set<string>();
  readonly #files = new Map<Checksum, WrittenFile>();
  /** Lists of attributes that are written, and how many links each has. */
  readonly #lists = new Map<Checksum, number>();

  constructor(reader: ObjectReader, sink: Sink, signal: AbortSignal) {
    this.#reader = reader;
    this.#signal = signal;
    this.#gathered = new Gathered(sink);
    this.#tar = new TarWriter(this.#gathered.write, 'gnu');
  }

  /** The directories and the configuration of the repository. */
  async skeleton(): Promise<void> {
    for (const path of SKELETON) await this.#directory(path, { ...ROOT_OWNED, mode: 0o755 });
    await this.#tar.add({ ...ROOT_OWNED, path: CONFIG_PATH, type: 'file' }, Buffer.from(CONFIG));
  }

  /**
   * The whole commit, from the root directory to `var/tmp`.
   * @param contents `inline`: each content before the first of its files. `apart`: none, for they follow, or are in
   *   other layers.
   * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED; StreamError STREAM_LIMIT; TarError TAR_NAME
   */
  async commit(checksum: Checksum, contents: 'inline' | 'apart'): Promise<void> {
    const reader = this.#reader;
    const bytes = readMetadata(reader, checksum, 'commit');
    const { rootTree, rootMeta } = decodeCommit(bytes, `commit ${checksum}`);
    const meta = readMetadata(reader, rootMeta, 'dirmeta');
    await this.#directory('./', decodeDirMeta(meta, `dirmeta ${rootMeta}`));
    await this.skeleton();
    await this.#object(checksum, 'commit', bytes);
    const detached = reader.metadataIfPresent(checksum, 'commitmeta');
    if (detached !== undefined) await this.#object(checksum, 'commitmeta', detached);
    await this.#object(rootMeta, 'dirmeta', meta);
    for (const step of treeSteps(reader, rootTree)) {
      this.#signal.throwIfAborted();
      if (step.kind === 'file') {
        if (contents === 'inline') await this.contentGroup(step.checksum, step.path === undefined ? [] : [step.path]);
        continue;
      }
      await this.#object(step.checksum, step.kind === 'dirtree' ? 'dirtree' : 'dirmeta', step.bytes);
      if (step.kind === 'directory' && step.path !== undefined) await this.#directory(step.path, step.meta);
    }
    if (!hasVarTmp(reader, rootTree)) await this.#directory('var/tmp', { ...ROOT_OWNED, mode: 0o1777 });
  }

  /**
   * A content with its attributes, once in a stream, and the files that are this content.
   * @param targets paths in the container
   * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED; TarError TAR_NAME
   */
  async contentGroup(checksum: Checksum, targets: readonly string[]): Promise<void> {
    this.#signal.throwIfAborted();
    const file = this.#files.get(checksum) ?? (await this.#content(checksum));
    const { mode, uid, gid, xattrs } = file;
    for (const path of targets) {
      if (file.isEmpty) {
        await this.#tar.add({ mode, uid, gid, ...(xattrs && { xattrs }), path, type: 'file' });
      } else if (file.links < MOST_LINKS) {
        await this.#tar.add({ mode, uid, gid, path, type: 'hardlink', linkTarget: file.linkTarget });
        file.links++;
      } else {
        await this.#copy(checksum, path);
        Object.assign(file, { linkTarget: path, links: 0 });
      }
    }
  }

  /** The end of the archive; everything has reached the sink. */
  async finish(): Promise<void> {
    await this.#tar.finish();
    await this.#gathered.flush();
  }

  async #object(checksum: Checksum, type: 'commit' | 'commitmeta' | 'dirtree' | 'dirmeta', bytes: Uint8Array) {
    const path = objectPath(checksum, type);
    if (this.#metadata.has(path)) return;
    this.#metadata.add(path);
    if (type !== 'commitmeta') this.counts.metadata++;
    await this.#tar.add({ ...ROOT_OWNED, path, type: 'file' }, bytes);
  }

  #directory(path: string, { mode, uid, gid }: Pick<DirMeta, 'mode' | 'uid' | 'gid'>): Promise<void> {
    return this.#tar.add({ path, type: 'directory', mode: mode & 0o7777, uid, gid });
  }

  async #content(checksum: Checksum): Promise<WrittenFile> {
    const stored = this.#reader.file(checksum);
    try {
      const { header, size } = stored;
      await this.#xattrs(checksum, header.xattrs);
      const path = objectPath(checksum, 'file');
      const attributes = await this.#put(checksum, stored, path);
      const isEmpty = header.target === undefined && size === 0;
      const written = { ...attributes, linkTarget: path, links: 0, isEmpty };
      this.#files.set(checksum, written);
      this.counts.contents++;
      this.counts.contentBytes += size;
      return written;
    } finally {
      stored.close();
    }
  }

  /** Once more, where it is a file of the tree alone. */
  async #copy(checksum: Checksum, path: string): Promise<void> {
    const stored = this.#reader.file(checksum);
    try {
      await this.#put(checksum, stored, path);
    } finally {
      stored.close();
    }
  }

  async #put(checksum: Checksum, stored: ReturnType<ObjectReader['file']>, path: string) {
    const { uid, gid, mode, target, xattrs } = stored.header;
    const attributes = { mode: mode & 0o7777, uid, gid, xattrs: containerXattrs(xattrs) };
    const data = checkedContent(checksum, stored);
    if (target !== undefined) await this.#tar.add({ ...attributes, path, type: 'symlink', linkTarget: target });
    else await this.#tar.add({ ...attributes, path, type: 'file', size: stored.size }, data);
    return attributes;
  }

  async #xattrs(checksum: Checksum, xattrs: Xattrs): Promise<void> {
    const bytes = encodeXattrs(xattrs);
    const list = sha256(bytes);
    const listPath = objectPath(list, 'file-xattrs');
    const links = this.#lists.get(list);
    if (links === undefined) await this.#tar.add({ ...ROOT_OWNED, path: listPath, type: 'file' }, bytes);
    this.#lists.set(list, (links ?? 0) + 1);
    const link = { ...ROOT_OWNED, path: objectPath(checksum, 'file-xattrs-link') };
    if ((links ?? 0) < MOST_LINKS) await this.#tar.add({ ...link, type: 'hardlink', linkTarget: listPath });
    else await this.#tar.add({ ...link, type: 'file' }, bytes);
  }
}
