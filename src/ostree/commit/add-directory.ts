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
import type { FileSource, FileToStore } from '../jobs/store-files.ts';
import type { Checksum } from '../objects/checksum.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import type { Stored } from '../storage/object-writer.ts';
import type { Transaction } from '../storage/transaction.ts';
import { readXattrs } from '../storage/xattr-calls.ts';
import type { CheckedOut } from './checked-out.ts';
import { DirMetas } from './dir-metas.ts';
import { FileQueue } from './file-queue.ts';
import { type Attributes, type Modifiers, sameAttributes } from './modifiers.ts';
import type { MutableTree } from './mutable-tree.ts';
import { reportBytes } from './report-bytes.ts';
import { ScannedDirectory } from './scanned-directory.ts';
import { Tally } from './tally.ts';

export interface AddOptions {
  /** At most so many threads; 0: everything on this one. Default: what the machine has, when it is worth it. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: Progress | undefined;
  /** Counts what is stored. */
  readonly tally?: Tally | undefined;
  /** Files that are hard links to objects of the repository need not be read. */
  readonly checkedOut?: CheckedOut | undefined;
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
  const report = reportBytes(path, undefined, options.onProgress);
  const queue = new FileQueue(transaction, { ...options, onBytes: report.advance });
  let ok = false;
  try {
    await new Scan(transaction, modifiers, queue, options).root(tree, path);
    await queue.finish();
    ok = true;
  } finally {
    await queue.close();
    report.end(ok);
  }
}

/** Where in the tree a file is to be. */
interface Place {
  readonly tree: MutableTree;
  readonly name: string;
}

/** A file that several names may lead to, read once. */
class Shared {
  readonly #places: Place[];
  #checksum: Checksum | undefined;

  constructor(first: Place) {
    this.#places = [first];
  }

  add(place: Place): void {
    if (this.#checksum === undefined) this.#places.push(place);
    else place.tree.putFile(place.name, this.#checksum);
  }

  settle(checksum: Checksum): void {
    this.#checksum = checksum;
    for (const { tree, name } of this.#places) tree.putFile(name, checksum);
  }
}

class Scan {
  readonly #modifiers: Modifiers;
  readonly #queue: FileQueue;
  readonly #options: AddOptions;
  readonly #metas: DirMetas;
  readonly #tally: Tally;
  readonly #shared = new Map<string, Shared>();

  constructor(transaction: Transaction, modifiers: Modifiers, queue: FileQueue, options: AddOptions) {
    this.#modifiers = modifiers;
    this.#queue = queue;
    this.#options = options;
    this.#tally = options.tally ?? new Tally();
    this.#metas = new DirMetas(transaction.writer, this.#tally);
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
    const path = here.pathOf(name);
    const stats = naming(path, () => fs.lstatSync(here.at(name)));
    const object = this.#options.checkedOut?.find(stats);
    const found = object?.header ?? this.#attributes(stats, here.at(name));
    const attributes = object?.isTrusted === true ? found : this.#modifiers.apply(path, found);
    if (attributes === undefined) return undefined;
    if (stats.isDirectory()) {
      tree.ensureDirectory(name).setMeta(this.#metas.put(attributes));
      return 'directory';
    }
    if (!stats.isFile() && !stats.isSymbolicLink()) throw wrongType(path);
    if (object !== undefined && sameAttributes(object.header, attributes)) {
      tree.putFile(name, object.checksum);
      this.#tally.cacheHit();
    } else this.#file({ tree, name }, here, stats, attributes);
    return undefined;
  }

  /** Names of one file are added when it is stored. */
  #file(place: Place, here: ScannedDirectory, stats: fs.Stats, attributes: Attributes): void {
    const key = sharedKey(stats, attributes);
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) {
      this.#tally.sameFile();
      return known.add(place);
    }
    const shared = new Shared(place);
    if (key !== undefined) this.#shared.set(key, shared);
    const onStored = (stored: Stored): void => {
      shared.settle(stored.checksum);
      this.#tally.file(stored);
    };
    this.#queue.add(fileToStore(here, place.name, stats, attributes), onStored, here);
  }

  #attributes({ uid, gid, mode }: fs.Stats, at: string): Attributes {
    return { uid, gid, mode, xattrs: this.#modifiers.keepsXattrs ? readXattrs(at) : NO_XATTRS };
  }
}

function fileToStore(here: ScannedDirectory, name: string, stats: fs.Stats, attributes: Attributes): FileToStore {
  const path = here.pathOf(name);
  if (stats.isSymbolicLink()) {
    const target = decodeUtf8(naming(path, () => fs.readlinkSync(here.at(name), 'buffer')));
    if (target === undefined) {
      throw new OstreeError('FILE_NAME', `${printable(path)}: the target of this link is not UTF-8`, { subject: path });
    }
    return { header: { ...attributes, target }, size: 0, source: NOTHING, name: path };
  }
  const { ino, mtimeMs, size } = stats;
  const source = { kind: 'path', path: here.at(name), expected: { ino, mtimeMs } } as const;
  return { header: { ...attributes, target: undefined }, size, source, name: path };
}

const NOTHING: FileSource = { kind: 'bytes', bytes: new Uint8Array() };

/** Undefined for what has one name only, and where inode numbers are too large for a JavaScript number. */
function sharedKey({ dev, ino, nlink }: fs.Stats, { uid, gid, mode }: Attributes): string | undefined {
  return nlink > 1 && Number.isSafeInteger(ino) ? `${dev}:${ino}:${uid}:${gid}:${mode}` : undefined;
}

function wrongType(path: string): OstreeError {
  return new OstreeError('FILE_TYPE', `${printable(path)}: neither a file, a directory nor a symbolic link`, {
    hint: 'leave it out with --skip-list',
    subject: path,
  });
}
