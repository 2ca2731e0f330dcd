/**
 * A directory of this machine onto a tree. Every directory is opened below its parent and nothing is reached through
 * a link, so that whoever may write there cannot lead us elsewhere; names are read here, contents by threads.
 */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import type { Progress } from '../../base/progress.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { openDirectoryPath } from '../../linux/files/walk.ts';
import { OstreeError } from '../error.ts';
import type { FileToStore } from '../jobs/store-files.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { S_IFLNK } from '../objects/file-header.ts';
import { compareNames } from '../objects/order.ts';
import { NO_XATTRS, type Xattrs } from '../objects/xattrs.ts';
import type { Stored } from '../storage/object-writer.ts';
import type { Transaction } from '../storage/transaction.ts';
import { readXattrs } from '../storage/xattr-calls.ts';
import type { CheckedOut } from './checked-out.ts';
import { FileQueue } from './file-queue.ts';
import { type Attributes, Modifiers } from './modifiers.ts';
import { MutableTree } from './mutable-tree.ts';
import { reportBytes } from './report-bytes.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;

/** As many as there are in the longest path. */
const DEEPEST = 2048;
/** Directories with files in one batch: they stay open until it is stored, and descriptors are few. */
const BATCH_DIRECTORIES = 48;

export interface AddOptions {
  /** At most so many threads; 0: everything on this one. Default: what the machine has, when it is worth it. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: Progress | undefined;
  /** Files that are hard links to objects of the repository need not be read. */
  readonly checkedOut?: CheckedOut | undefined;
  /** Told of every file that is stored, also of those that were there. */
  readonly onStored?: ((stored: Stored) => void) | undefined;
}

/**
 * What is there replaces what the tree has under the same names. Sparse files and hard links become plain files;
 * times are not recorded.
 * @throws OstreeError FILE_TYPE for sockets, fifos and devices, FILE_NAME for a name that is not UTF-8, FILE_CHANGED,
 *   TARGET_EXISTS for a file in the place of a directory or the reverse; CodedError NOT_A_DIRECTORY; SystemError
 */
export async function addDirectory(
  transaction: Transaction,
  tree: MutableTree,
  path: string,
  modifiers: Modifiers,
  options: AddOptions,
): Promise<void> {
  const queue = new FileQueue(transaction, { ...options, onBytes: reportBytes(path, options.onProgress) });
  const root = openDirectoryPath(path);
  const scan = new Scan(transaction, modifiers, queue, options);
  try {
    await scan.directory(tree, { fd: root, path: '/', depth: 0 });
    await queue.finish();
  } finally {
    await queue.close();
  }
}

/** A file that several names lead to, read once. */
interface Shared {
  checksum: Checksum | undefined;
  readonly places: { readonly tree: MutableTree; readonly name: string }[];
}

class Scan {
  readonly #modifiers: Modifiers;
  readonly #queue: FileQueue;
  readonly #options: AddOptions;
  readonly #metas: DirMetas;
  readonly #shared = new Map<string, Shared>();

  constructor(transaction: Transaction, modifiers: Modifiers, queue: FileQueue, options: AddOptions) {
    this.#modifiers = modifiers;
    this.#queue = queue;
    this.#options = options;
    this.#metas = new DirMetas(transaction.writer);
  }

  async root(tree: MutableTree, path: string): Promise<void> {
    const here = new ScannedDirectory(openDirectoryPath(path), '/', 0);
    try {
      const attributes = this.#modifiers.apply('/', this.#attributes(fs.fstatSync(here.fd), here.at('.')));
      if (attributes === undefined) return;
      tree.setMeta(this.#metas.put(attributes));
      await this.#inside(tree, here);
    } finally {
      here.release();
    }
  }

  /** Files first, then directories, each in the order of their names. */
  async #inside(tree: MutableTree, here: ScannedDirectory): Promise<void> {
    const below: string[] = [];
    for (const name of here.list()) {
      if (this.#entry(tree, here, name) === 'directory') below.push(name);
      if (this.#queue.isFull) await this.#queue.pass();
    }
    for (const name of below) {
      const inner = here.enter(name);
      try {
        await this.#inside(tree.ensureDirectory(name), inner);
      } finally {
        inner.release();
      }
    }
  }

  #entry(tree: MutableTree, here: ScannedDirectory, name: string): 'directory' | undefined {
    const at = here.at(name);
    const path = here.pathOf(name);
    const stats = naming(path, () => fs.lstatSync(at));
    const object = this.#options.checkedOut?.find(stats);
    const found = object?.header ?? this.#attributes(stats, at);
    const attributes = object?.isTrusted === true ? found : this.#modifiers.apply(path, found);
    if (attributes === undefined) return undefined;
    if (stats.isDirectory()) {
      this.#openSubtree(tree, name, path).setMeta(this.#metas.put(attributes));
      return 'directory';
    }
    if (!stats.isFile() && !stats.isSymbolicLink()) {
      throw new OstreeError('FILE_TYPE', `${printable(path)}: neither a file, a directory nor a symbolic link`, {
        hint: 'leave it out with --skip-list',
        subject: path,
      });
    }
    if (object !== undefined && sameAttributes(object.header, attributes)) tree.putFile(name, object.checksum);
    else this.#file(tree, here, name, { stats, attributes, target: object?.header.target });
    return undefined;
  }

  #openSubtree(tree: MutableTree, name: string, path: string): MutableTree {
    return naming(path, () => tree.ensureDirectory(name));
  }
}
