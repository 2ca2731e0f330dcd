/** The objects of a stream into a repository, each held against its name. No commit is among them. */
import {
  type Checksum,
  type FileHeader,
  FileQueue,
  type Pool,
  S_IFLNK,
  S_IFREG,
  storeContent,
  type Transaction,
  type Xattrs,
} from '../../../ostree/index.ts';
import { assertChecksum } from '../checked-content.ts';
import { StreamError } from '../error.ts';
import { METADATA_BYTES } from '../limits.ts';
import { type ObjectStream, readObject, type StreamObject } from './object-stream.ts';
import { putTreeObject } from './tree-object.ts';
import { XattrLists } from './xattr-lists.ts';

export interface ImportObjectsOptions {
  /** `base`: behind the commit. `component`: a layer of contents alone, each of them once. */
  readonly layer: 'base' | 'component';
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  /** Threads for several streams into one transaction; each would start its own otherwise. */
  readonly pool?: Pool | undefined;
  readonly signal: AbortSignal;
}

export interface ImportedObjects {
  /** Of the stream, new or not; all of them are in the repository when its transaction has ended. */
  readonly contents: ReadonlySet<Checksum>;
  readonly metadata: ReadonlySet<Checksum>;
  readonly newContents: number;
  readonly newBytes: number;
}

/**
 * The rest of a stream, to its end. Memory: the names of the objects, the lists of attributes, a bounded number of
 * contents.
 * @throws StreamError STREAM_*, XATTRS_*; OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED, OBJECT_UNSUITABLE,
 *   MIN_FREE_SPACE; TarError
 */
export async function importObjects(
  transaction: Transaction,
  stream: ObjectStream,
  options: ImportObjectsOptions,
): Promise<ImportedObjects> {
  const queue = new FileQueue(transaction, options);
  try {
    const work = new ObjectImport(transaction, stream, queue, options);
    for (let object = await stream.next(); object !== undefined; object = await stream.next()) {
      options.signal.throwIfAborted();
      await work.add(object);
      if (queue.isFull) await queue.pass();
    }
    await queue.finish();
    return work.finish();
  } finally {
    await queue.close();
  }
}

class ObjectImport {
  readonly #transaction: Transaction;
  readonly #queue: FileQueue;
  readonly #lists: XattrLists;
  readonly #options: ImportObjectsOptions;
  readonly #contents = new Set<Checksum>();
  readonly #metadata = new Set<Checksum>();
  readonly #new = new Map<Checksum, number>();
  readonly #limit: number;
  #left: number;

  constructor(transaction: Transaction, stream: ObjectStream, queue: FileQueue, options: ImportObjectsOptions) {
    this.#transaction = transaction;
    this.#queue = queue;
    this.#options = options;
    this.#lists = new XattrLists(stream);
    this.#limit = stream.limits.bytes;
    this.#left = this.#limit;
  }

  async add(object: StreamObject): Promise<void> {
    switch (object.type) {
      case 'file-xattrs':
        return this.#lists.addList(object);
      case 'file-xattrs-link':
        return this.#lists.addLink(object);
      case 'file':
        return this.#file(object, this.#lists.take(object.checksum));
      case 'dirtree':
      case 'dirmeta':
        return this.#putMetadata(object, object.type);
      case 'commit':
        throw new StreamError('STREAM_SECOND_COMMIT', `commit ${object.checksum}: there is one already`, {
          subject: object.checksum,
        });
      case 'commitmeta':
        throw this.#misplaced(object);
    }
  }

  finish(): ImportedObjects {
    this.#lists.assertNoLink();
    const sizes = [...this.#new.values()];
    return {
      contents: this.#contents,
      metadata: this.#metadata,
      newContents: sizes.length,
      newBytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  async #putMetadata(object: StreamObject, type: 'dirtree' | 'dirmeta'): Promise<void> {
    if (this.#options.layer === 'component') throw this.#misplaced(object);
    const { checksum } = object;
    const bytes = await readObject(object, METADATA_BYTES);
    putTreeObject(this.#transaction.writer, type, checksum, bytes);
    this.#metadata.add(checksum);
  }

  async #file({ checksum, entry }: StreamObject, xattrs: Xattrs): Promise<void> {
    if (this.#contents.has(checksum) && this.#options.layer === 'component') {
      throw new StreamError('STREAM_DUPLICATE', `file ${checksum}: comes twice in one layer`, { subject: checksum });
    }
    this.#contents.add(checksum);
    const { uid, gid, mode, linkTarget, size } = entry;
    this.#left -= size; // holes count: a small archive may promise any number of zeros
    if (this.#left < 0) throw new StreamError('STREAM_LIMIT', `contents of more than ${this.#limit} bytes`);
    if (entry.type !== 'symlink' && entry.type !== 'file') {
      throw new StreamError('STREAM_MALFORMED', `file ${checksum}: expected a file or a link, found a ${entry.type}`, {
        subject: checksum,
      });
    }
    const header: FileHeader =
      entry.type === 'symlink'
        ? { uid, gid, mode: S_IFLNK | 0o777, target: linkTarget, xattrs }
        : { uid, gid, mode: S_IFREG | mode, target: undefined, xattrs };
    const means = { transaction: this.#transaction, queue: this.#queue, signal: this.#options.signal };
    const content = { header, size, name: `file ${checksum}`, chunks: entry.data(), whole: entry.whole };
    await storeContent(means, content, (stored) => {
      assertChecksum(checksum, stored.checksum);
      if (stored.isNew) this.#new.set(checksum, stored.size);
    });
  }

  #misplaced({ type, checksum }: StreamObject): StreamError {
    const why =
      type === 'commitmeta'
        ? 'detached metadata come right behind their commit'
        : 'a component layer has contents alone';
    return new StreamError('STREAM_MISPLACED', `${type} ${checksum}: ${why}`, { subject: checksum });
  }
}
