/**
 * A change of a repository, all or nothing: objects are staged, flushed together, given their names, and only then
 * refs point to them. The steps and their order are those of spec 10; libostree sees the same locks.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { syncFileSystem } from '../../linux/files/flush.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { objectPath, parseObjectName } from '../objects/object-type.ts';
import type { Held } from '../repository/lock.ts';
import { clearPartial, markPartial } from '../repository/partial.ts';
import type { RefChange } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { writeRefs } from '../repository/write-refs.ts';
import { makeFanout } from './fanout.ts';
import { measureFreeSpace } from './free-space.ts';
import { placesOf } from './object-reader.ts';
import { ObjectWriter, type WritePlace } from './object-writer.ts';
import { cleanTmp, openStaging, type Staging } from './staging.ts';

export interface TransactionOptions {
  readonly signal: AbortSignal;
  /** Default: that of the repository's configuration. */
  readonly fsync?: boolean | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly now?: number | undefined;
  /** Do the work, and leave nothing of it. */
  readonly dryRun?: boolean | undefined;
}

export class Transaction {
  readonly repository: Repository;
  /** Writes on this thread; others make their own from `place`. */
  readonly writer: ObjectWriter;
  readonly place: WritePlace;
  readonly #held: Held | undefined;
  readonly #tmp: Directory;
  readonly #staging: Staging;
  readonly #fsync: boolean;
  readonly #now: number;
  readonly #refs: RefChange[] = [];
  readonly #complete = new Set<Checksum>();
  #isOpen = true;

  private constructor(repository: Repository, options: TransactionOptions, held: Held | undefined, tmp: Directory) {
    this.repository = repository;
    this.#held = held;
    this.#tmp = tmp;
    const freeSpace = measureFreeSpace(repository.root, repository.config.minFree);
    this.#staging = openStaging(tmp); // what can fail comes before it: nobody would give it back
    this.#fsync = options.fsync ?? repository.config.fsync;
    this.#now = options.now ?? Date.now();
    this.place = {
      places: [{ path: this.#staging.path, mode: repository.mode }, ...placesOf(repository)],
      zlibLevel: repository.config.zlibLevel,
      flush: !this.#fsync ? 'later' : repository.config.perObjectFsync ? 'now' : 'begin',
      freeSpace,
      hasLeftovers: this.#staging.isReused,
    };
    this.writer = new ObjectWriter(this.place);
  }

  /** Waits for whoever deletes. @throws CodedError LOCK_TIMEOUT, NO_OFD_LOCKS */
  static async begin(repository: Repository, options: TransactionOptions): Promise<Transaction> {
    const held = repository.config.locking ? await repository.lock.acquire('shared', options) : undefined;
    let tmp: Directory | undefined;
    try {
      tmp = repository.directory.makeDirectory('tmp', 0o775);
      return new Transaction(repository, options, held, tmp);
    } catch (error) {
      tmp?.close();
      held?.release();
      throw error;
    }
  }

  /** Point a ref to a commit (undefined: remove it) when everything is there. */
  setRef(change: RefChange): void {
    this.#refs.push(change);
  }

  /** A commit whose objects may be missing until `commit` has succeeded; call before it gets its name. */
  beginPartial(commit: Checksum): void {
    markPartial(this.repository, commit, '');
  }

  /** It is whole once this transaction has succeeded. */
  endPartial(commit: Checksum): void {
    this.#complete.add(commit);
  }

  /** Everything becomes visible. After a failure the transaction is over, and what was staged waits for the next run. */
  commit(): void {
    this.#assertOpen();
    try {
      const touched = this.#stagedFanouts();
      if (touched.length > 0) {
        if (this.#fsync) this.#flush();
        this.#publish(touched);
      }
      this.#staging.remove();
      cleanTmp(this.#tmp, this.repository.config.tmpExpiryMs, this.#now);
      writeRefs(this.repository, this.#refs, this.#fsync);
      this.repository.directory.unlink('transaction');
      for (const commit of this.#complete) clearPartial(this.repository, commit, this.#fsync);
      this.#close();
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** After a failure the kernel takes pages for written that were lost: nothing staged may be used again. */
  #flush(): void {
    try {
      syncFileSystem(this.repository.directory);
    } catch (error) {
      this.#dropStaging();
      throw error;
    }
  }

  /** On the way out: what is wrong already is what is told, not that nothing can be removed either. */
  #dropStaging(): void {
    try {
      this.#staging.remove();
    } catch {
      this.#staging.keep(); // a file system that was made read-only by its errors; the first of them is on its way up
    }
  }

  /** Nothing becomes visible. Staged objects stay for the next run of this boot, unless the reason is a full disk. @returns it, with names the user knows */
  abort(reason?: unknown): unknown {
    if (!this.#isOpen) return reason;
    const named = this.#named(reason);
    if (isAboutSpace(reason) || isFull(this.#tmp)) this.#dropStaging();
    else this.#staging.keep();
    this.#close();
    return named;
  }

  /** Calls are made below descriptors of ours, and writes tell no name at all. */
  #named(error: unknown): unknown {
    const { path, root } = this.repository;
    const found = error instanceof Error && 'path' in error ? String(error.path) : '';
    const below = [
      [`/proc/self/fd/${this.#tmp.fd}/`, `${path}/tmp/`],
      [`${root}/`, `${path}/`],
    ].find(([prefix = '']) => found.startsWith(prefix));
    const isUnnamed = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
    if (below === undefined && !isUnnamed) return error;
    const [prefix = found, shown = path] = below ?? [];
    try {
      return naming(`${shown}${found.slice(prefix.length)}`, () => {
        throw error;
      });
    } catch (named) {
      return named;
    }
  }

  /** As if it had never been; what a killed run had staged before stays. */
  discard(): void {
    this.#assertOpen();
    if (this.#staging.isReused) this.#staging.keep();
    else this.#staging.remove();
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.#staging.close();
    this.#tmp.close();
    this.#held?.release();
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error('unreachable: a transaction that has ended');
  }

  #stagedFanouts(): string[] {
    return fs.readdirSync(this.#staging.path).filter((name) => /^[0-9a-f]{2}$/.test(name));
  }

  /** Commits come last: also one that no ref leads to must never be seen without its tree. */
  #publish(fanouts: readonly string[]): void {
    const commits: StagedCommit[] = [];
    for (const fanout of fanouts) {
      const staged = fs.readdirSync(`${this.#staging.path}/${fanout}`).map((name) => ({
        name,
        object: parseObjectName(fanout, name),
      }));
      if (staged.every(({ object }) => object !== undefined && object.type !== 'commit') && this.#renameWhole(fanout)) {
        continue;
      }
      makeFanout(`${this.repository.root}/objects/${fanout}`);
      for (const { name, object } of staged) {
        if (object?.type === 'commit') commits.push({ fanout, name, checksum: object.checksum });
        else if (object !== undefined) this.#rename(`${fanout}/${name}`);
      }
    }
    this.#flushFanouts(fanouts);
    for (const { fanout, name, checksum } of commits) {
      this.#rename(`${fanout}/${name}`);
      fs.rmSync(`${this.repository.root}/objects/${objectPath(checksum, 'tombstone-commit')}`, { force: true });
    }
    this.#flushFanouts(new Set(commits.map(({ fanout }) => fanout)));
  }

  /** Into a young repository a staged directory goes as a whole: false when its place holds objects already. */
  #renameWhole(fanout: string): boolean {
    try {
      this.#rename(fanout);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
      throw error;
    }
  }

  #rename(name: string): void {
    fs.renameSync(`${this.#staging.path}/${name}`, `${this.repository.root}/objects/${name}`);
  }

  /** After the last rename: the first flush writes the journal for all, and the others find nothing left to do. */
  #flushFanouts(fanouts: Iterable<string>): void {
    if (!this.#fsync) return;
    const { root, directory } = this.repository;
    for (const fanout of fanouts) syncDirectory(`${root}/objects/${fanout}`, directory.pathOf(`objects/${fanout}`));
    syncDirectory(`${root}/objects`, directory.pathOf('objects'));
  }
}

interface StagedCommit {
  readonly fanout: string;
  readonly name: string;
  readonly checksum: Checksum;
}

function syncDirectory(path: string, shown: string): void {
  naming(shown, () => {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Less than a block: keeping the staged objects would keep everybody else from going on. */
function isFull(tmp: Directory): boolean {
  const { bavail } = fs.statfsSync(`/proc/self/fd/${tmp.fd}`);
  return bavail < 16;
}

const NO_SPACE: ReadonlySet<string | undefined> = new Set(['DISK_FULL', 'ENOSPC', 'EDQUOT', 'MIN_FREE_SPACE']);

function isAboutSpace(reason: unknown): boolean {
  return NO_SPACE.has(codeOf(reason)) || (reason instanceof Error && isAboutSpace(reason.cause));
}

/** Begin, work, commit; abort when the work fails. */
export async function withTransaction<T>(
  repository: Repository,
  options: TransactionOptions,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  if (repository.mode === 'bare-split-xattrs') {
    throw new OstreeError('REPOSITORY_READ_ONLY', `${printable(repository.path)}: bare-split-xattrs is read only`);
  }
  const transaction = await Transaction.begin(repository, options);
  let result: T;
  try {
    result = await work(transaction);
    options.signal.throwIfAborted();
  } catch (error) {
    throw transaction.abort(error);
  }
  if (options.dryRun === true) transaction.discard();
  else transaction.commit();
  return result;
}
