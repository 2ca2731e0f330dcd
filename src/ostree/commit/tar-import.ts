/** Entries of an archive, in their order, onto a tree. */
import fs from 'node:fs';
import { printable, quote } from '../../base/text.ts';
import { safePath, type TarEntry } from '../../tar/index.ts';
import { OstreeError } from '../error.ts';
import type { FileSource } from '../jobs/store-files.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { FileHeader } from '../objects/file-header.ts';
import type { Stored } from '../storage/object-writer.ts';
import { CHUNK } from '../storage/stored-file.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { AddTarOptions } from './add-tar.ts';
import { DirMetas } from './dir-metas.ts';
import type { FileQueue } from './file-queue.ts';
import { type Attributes, type Modifiers, PLAIN_DIRECTORY } from './modifiers.ts';
import { MutableTree } from './mutable-tree.ts';
import { storeContent } from './store-content.ts';
import { Tally } from './tally.ts';
import { attributesOf } from './tar-attributes.ts';

/** Where the content of an entry is. */
export type TarContent =
  | { readonly kind: 'file'; readonly fd: number }
  | { readonly kind: 'stream'; data(): AsyncIterable<Uint8Array>; whole(): Uint8Array | undefined };

/** A file that may not be stored yet; hard links share it. */
interface Pending {
  checksum: Checksum | undefined;
}

interface Placed {
  readonly directory: MutableTree;
  readonly name: string;
  readonly file: Pending;
}

export class TarImport {
  readonly #transaction: Transaction;
  readonly #tree: MutableTree;
  readonly #modifiers: Modifiers;
  readonly #queue: FileQueue;
  readonly #options: AddTarOptions;
  readonly #metas: DirMetas;
  readonly #tally: Tally;
  /** By path, the last one of each: threads finish in any order. */
  readonly #files = new Map<string, Placed>();
  readonly #skipped = new Set<string>();

  constructor(
    transaction: Transaction,
    tree: MutableTree,
    modifiers: Modifiers,
    queue: FileQueue,
    options: AddTarOptions,
  ) {
    this.#transaction = transaction;
    this.#tree = tree;
    this.#modifiers = modifiers;
    this.#queue = queue;
    this.#options = options;
    this.#tally = options.tally ?? new Tally();
    this.#metas = new DirMetas(transaction.writer, this.#tally);
  }

  async add(entry: TarEntry, content: TarContent): Promise<void> {
    const parts = this.#partsOf(entry.path);
    const path = `/${parts.join('/')}`;
    if (this.#skipped.size > 0 && this.#isBelowSkipped(parts)) return;
    const attributes = this.#modifiers.apply(path, attributesOf(entry));
    if (attributes === undefined) {
      this.#skipped.add(path);
      return;
    }
    const name = parts.at(-1);
    if (name === undefined) this.#root(entry, attributes);
    else if (entry.type === 'directory')
      this.#directory(this.#parentOf(parts, entry), name, path).setMeta(this.#metas.put(attributes));
    else await this.#file({ directory: this.#parentOf(parts, entry), name, path }, entry, attributes, content);
  }

  /** When everything that was added is stored: files get their places. */
  finish(): void {
    if (this.#tree.meta === undefined && this.#options.autocreateParents === true) {
      this.#tree.setMeta(this.#metas.put(PLAIN_DIRECTORY));
    }
    for (const { directory, name, file } of this.#files.values()) {
      if (file.checksum === undefined) throw new Error(`unreachable: ${name} is not stored`);
      directory.putFile(name, file.checksum);
    }
  }

  #partsOf(path: string): readonly string[] {
    const parts = safePath(path);
    const { rename } = this.#options;
    return rename === undefined || parts.length === 0 ? parts : safePath(rename(parts.join('/')));
  }

  #root(entry: TarEntry, attributes: Attributes): void {
    if (entry.type !== 'directory') throw wrongType('/', 'is not a directory');
    this.#tree.setMeta(this.#metas.put(attributes));
  }

  #directory(parent: MutableTree, name: string, path: string): MutableTree {
    if (this.#files.has(path)) {
      throw new OstreeError('TARGET_EXISTS', `${printable(path)}: a file is where a directory is to be`);
    }
    return parent.ensureDirectory(name);
  }

  async #file(
    place: { readonly directory: MutableTree; readonly name: string; readonly path: string },
    entry: TarEntry,
    attributes: Attributes,
    content: TarContent,
  ): Promise<void> {
    const { directory, name, path } = place;
    if (directory.child(name) instanceof MutableTree) {
      throw new OstreeError('TARGET_EXISTS', `${printable(path)}: a directory is where a file is to be`);
    }
    if (entry.type === 'hardlink') {
      this.#files.set(path, { directory, name, file: this.#linked(entry, path) });
      return;
    }
    if (entry.type !== 'file' && entry.type !== 'symlink') throw wrongType(path, `is a ${entry.type} in the archive`);
    const file: Pending = { checksum: undefined };
    this.#files.set(path, { directory, name, file });
    const target = entry.type === 'symlink' ? (entry.linkTarget ?? '') : undefined;
    await this.#store(entry, { ...attributes, target }, content, path, (stored) => {
      file.checksum = stored.checksum;
      this.#tally.file(stored);
    });
  }

  async #store(
    entry: TarEntry,
    header: FileHeader,
    content: TarContent,
    name: string,
    onStored: (stored: Stored) => void,
  ): Promise<void> {
    const { size } = entry;
    if (content.kind === 'file' && entry.sparse === undefined) {
      const source: FileSource = { kind: 'range', fd: content.fd, offset: entry.dataOffset };
      this.#queue.add({ header, size, source, name }, onStored);
    } else {
      const means = { transaction: this.#transaction, queue: this.#queue, signal: this.#options.signal };
      const whole = content.kind === 'stream' ? content.whole : undefined;
      await storeContent(means, { header, size, name, chunks: contentOf(entry, content), whole }, onStored);
    }
  }

  #linked(entry: TarEntry, path: string): Pending {
    const parts = this.#partsOf(entry.linkTarget ?? '');
    const found = this.#files.get(`/${parts.join('/')}`)?.file ?? this.#tree.lookup(parts);
    if (typeof found === 'string') return { checksum: found };
    if (found !== undefined && !(found instanceof MutableTree)) return found;
    throw new OstreeError(
      'PATH_MISSING',
      `${printable(path)}: no file ${quote(parts.join('/'))} to link to before it`,
      {
        subject: path,
      },
    );
  }

  /** Directories that are made belong to the owner of the entry that needs them, as in libostree. */
  #parentOf(parts: readonly string[], { uid, gid }: TarEntry): MutableTree {
    let at = this.#tree;
    const isMade = this.#options.autocreateParents === true;
    const describe = (directory: MutableTree): void => {
      if (isMade && directory.meta === undefined) directory.setMeta(this.#metas.put({ ...PLAIN_DIRECTORY, uid, gid }));
    };
    describe(at);
    for (let i = 0; i < parts.length - 1; i++) {
      const name = parts[i] ?? '';
      const path = `/${parts.slice(0, i + 1).join('/')}`;
      if (!isMade && !(at.child(name) instanceof MutableTree)) throw missingParent(path);
      at = this.#directory(at, name, path);
      describe(at);
    }
    return at;
  }

  #isBelowSkipped(parts: readonly string[]): boolean {
    return parts.some((_, i) => this.#skipped.has(`/${parts.slice(0, i).join('/')}`));
  }
}

function contentOf(entry: TarEntry, content: TarContent): AsyncIterable<Uint8Array> {
  return content.kind === 'stream' ? content.data() : sparseContent(entry, content.fd);
}

/** Data and holes of a file of the archive, in chunks. */
async function* sparseContent(entry: TarEntry, fd: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, entry.size));
  let done = 0;
  let stored = entry.dataOffset;
  for (const { offset, length } of [...(entry.sparse ?? []), { offset: entry.size, length: 0 }]) {
    for (; done < offset; done += Math.min(chunk.length, offset - done)) {
      yield chunk.subarray(0, Math.min(chunk.length, offset - done)).fill(0);
    }
    for (const end = offset + length; done < end; ) {
      const count = fs.readSync(fd, chunk, 0, Math.min(chunk.length, end - done), stored);
      if (count === 0) throw new OstreeError('FILE_CHANGED', `${printable(entry.path)}: the archive became shorter`);
      yield chunk.subarray(0, count);
      done += count;
      stored += count;
    }
  }
}

function missingParent(path: string): OstreeError {
  return new OstreeError('PATH_MISSING', `${printable(path)}: the archive has no entry for this directory`, {
    hint: '--tar-autocreate-parents makes the directories that are missing',
    subject: path,
  });
}

function wrongType(path: string, text: string): OstreeError {
  return new OstreeError('FILE_TYPE', `${printable(path)}: ${text}, not a file, directory or symbolic link`, {
    hint: 'leave it out with --skip-list',
    subject: path,
  });
}
