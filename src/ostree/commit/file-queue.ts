/**
 * Files on their way into the repository: gathered into batches, hashed and written by threads when there are enough
 * of them, and handed back in any order. Whoever adds files waits while too many are on the way.
 */
import { openPool, type Pool, threadsFor } from '../jobs/pool.ts';
import type { FileToStore } from '../jobs/store-files.ts';
import type { Stored } from '../storage/object-writer.ts';
import type { Transaction } from '../storage/transaction.ts';

/** One batch: enough to make a message between threads worth its price, few enough to share the work evenly. */
const BATCH_FILES = 128;
const BATCH_BYTES = 4 * 2 ** 20;
/** Descriptors are few: with four threads twelve batches are on the way. */
const BATCH_HELD = 48;
/** Before it is known whether threads are worth starting, so much waits; less of what is in memory. */
const WAITING_FILES = 2000;
const WAITING_BYTES = 64 * 2 ** 20;
const WAITING_MEMORY = 4 * 2 ** 20;
/** Small contents share blocks of memory: one block is cheaper to allocate and to hand over than a hundred. */
const ROOM = 2 ** 20;

export interface FileQueueOptions {
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  /** Threads that several queues of one transaction share, instead of some of its own; whoever made them ends them. */
  readonly pool?: Pool | undefined;
  readonly signal: AbortSignal;
  /** Called with the bytes of the contents that are stored, all together. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

/** Something that must stay open until the files that need it are stored: a directory. */
export interface Held {
  hold(): void;
  release(): void;
}

interface Batch {
  readonly files: FileToStore[];
  readonly onStored: ((stored: Stored) => void)[];
  readonly held: Set<Held>;
  /** Where its contents are, as far as they are in memory; handed over, not copied. */
  readonly memory: ArrayBuffer[];
  bytes: number;
}

export class FileQueue {
  readonly #transaction: Transaction;
  readonly #options: FileQueueOptions;
  readonly #running = new Set<Promise<void>>();
  /** Full batches that wait for the decision about threads. */
  #waiting: Batch[] = [];
  #waitingFiles = 0;
  #waitingBytes = 0;
  #waitingMemory = 0;
  #open: Batch = emptyBatch();
  /** The free part of the last block. */
  #room = new Uint8Array();
  #pool: Pool | undefined;
  #inline: Pool | undefined;
  #done = 0;
  #failure: unknown;

  constructor(transaction: Transaction, options: FileQueueOptions) {
    this.#transaction = transaction;
    this.#options = options;
    this.#pool = options.pool;
  }

  add(file: FileToStore, onStored: (stored: Stored) => void, held?: Held): void {
    const batch = this.#open;
    batch.files.push(file);
    batch.onStored.push(onStored);
    batch.bytes += file.size;
    if (held !== undefined && !batch.held.has(held)) {
      held.hold();
      batch.held.add(held);
    }
    this.#waitingFiles++;
    this.#waitingBytes += file.size;
  }

  /** Memory for the content of the file that is added next, before any other call. */
  roomFor(size: number): Uint8Array {
    this.#waitingMemory += size;
    const isShared = size <= ROOM / 4;
    if (isShared && size <= this.#room.length) return this.#takeRoom(size);
    const block = new Uint8Array(Buffer.allocUnsafeSlow(isShared ? ROOM : size).buffer);
    this.#open.memory.push(block.buffer);
    if (!isShared) return block;
    this.#room = block;
    return this.#takeRoom(size);
  }

  #takeRoom(size: number): Uint8Array {
    const taken = this.#room.subarray(0, size);
    this.#room = this.#room.subarray(size);
    return taken;
  }

  /** Is it time to call `pass`? */
  get isFull(): boolean {
    const { files, bytes, held } = this.#open;
    return files.length >= BATCH_FILES || bytes >= BATCH_BYTES || held.size >= BATCH_HELD;
  }

  /** Hand over what was gathered, and wait while too much is on the way. @throws what storing threw */
  async pass(): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting.push(this.#open);
    this.#open = emptyBatch();
    this.#room = new Uint8Array();
    if (this.#pool === undefined && this.#isManyWaiting()) {
      const entries = Math.max(this.#waitingFiles, WAITING_FILES);
      this.#pool = openPool({ write: this.#transaction.place }, threadsFor(entries, this.#options.threads));
    }
    if (this.#pool !== undefined) await this.#run(this.#pool);
  }

  /** Everything is stored; more may be added. @throws what storing threw, the first of it */
  async finish(): Promise<void> {
    await this.pass();
    await this.#run(this.#pool ?? this.#thisThread());
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Whatever came of it. */
  async close(): Promise<void> {
    if (this.#options.pool === undefined) await this.#pool?.close();
    await Promise.all(this.#running);
    for (const { held } of [...this.#waiting, this.#open]) for (const each of held) each.release();
    this.#waiting = [];
    this.#open = emptyBatch();
  }

  #isManyWaiting(): boolean {
    return (
      this.#waitingFiles >= WAITING_FILES ||
      this.#waitingBytes >= WAITING_BYTES ||
      this.#waitingMemory >= WAITING_MEMORY
    );
  }

  #thisThread(): Pool {
    this.#inline ??= openPool({ write: this.#transaction.place }, 0);
    return this.#inline;
  }

  async #run(pool: Pool): Promise<void> {
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      await pool.ready();
      this.#options.signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      const running = this.#store(pool, batch);
      this.#running.add(running);
      void running.then(() => this.#running.delete(running));
      if (pool.threads === 0) await running;
    }
  }

  /** Never rejects: a failure is kept for whoever adds or finishes next. */
  async #store(pool: Pool, batch: Batch): Promise<void> {
    try {
      const { stored } = await pool.run('store-files', { files: batch.files }, batch.memory);
      stored.forEach((each, i) => {
        batch.onStored[i]?.(each);
      });
      this.#done += batch.bytes;
      this.#options.onBytes?.(this.#done);
    } catch (error) {
      this.#failure ??= error;
    } finally {
      for (const each of batch.held) each.release();
    }
  }
}

function emptyBatch(): Batch {
  return { files: [], onStored: [], held: new Set(), memory: [], bytes: 0 };
}
