/** Threads for batches of objects; without threads the same work is done at once, on this one. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { collectBuffers } from '../../linux/processes/collect-buffers.ts';
import { returnLargeBlocks } from '../../linux/processes/memory.ts';
import { type ObjectPlace, ObjectReader } from '../storage/object-reader.ts';
import { ObjectWriter, type WritePlace } from '../storage/object-writer.ts';
import type { Reply, Request, WorkerStart } from './messages.ts';
import { type JobContext, type JobKind, type Jobs, runJob } from './table.ts';
import { thawError } from './thread-error.ts';

/** What jobs may touch: objects to read, and where to write when something is stored. */
export type PoolPlace = { readonly read: readonly ObjectPlace[] } | { readonly write: WritePlace };

export interface Pool {
  /** 0: everything on this thread. */
  readonly threads: number;
  run<Kind extends JobKind>(
    kind: Kind,
    batch: Jobs[Kind]['batch'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Jobs[Kind]['result']>;
  /** When a further batch may be handed over: at most `IN_FLIGHT` wait for each thread. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Below this many entries starting threads costs more than it gains. */
const WORTHWHILE = 2000;
const MOST_THREADS = 4;
const IN_FLIGHT = 3;
/** Batches are short-lived: a small nursery keeps a thread's memory small at no cost in time. */
const YOUNG_MIB = 4;

/** How many threads to use for so many entries; `limit` is the user's choice, 0 for none. */
export function threadsFor(entries: number, limit = MOST_THREADS): number {
  if (entries < WORTHWHILE || limit === 0) return 0;
  const threads = Math.min(availableParallelism(), limit, MOST_THREADS);
  return threads === 1 ? 0 : threads;
}

/** The same where this thread is busy itself, as with receiving: one processor is its own. */
export function threadsBeside(entries: number, limit = MOST_THREADS): number {
  if (entries < WORTHWHILE || limit === 0) return 0;
  return Math.max(1, Math.min(availableParallelism() - 1, limit, MOST_THREADS));
}

export function openPool(place: PoolPlace, threads: number): Pool {
  return threads === 0 ? inlinePool(place) : new ThreadPool(place, threads);
}

export function contextFor(place: PoolPlace): JobContext {
  if ('read' in place) return { reader: new ObjectReader(place.read), writer: undefined };
  const writer = new ObjectWriter(place.write);
  return { reader: writer.reader, writer };
}

function inlinePool(place: PoolPlace): Pool {
  const context = contextFor(place);
  return {
    threads: 0,
    run: (kind, batch) => runJob(kind, context, batch),
    ready: async () => undefined,
    close: async () => undefined,
  };
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

class ThreadPool implements Pool {
  readonly threads: number;
  readonly #threads: readonly Thread[];
  #count = 0;
  #wake: (() => void)[] = [];
  #failure: unknown;

  constructor(place: PoolPlace, threads: number) {
    returnLargeBlocks();
    this.threads = threads;
    this.#threads = Array.from({ length: threads }, () => this.#start({ place }));
  }

  run<Kind extends JobKind>(
    kind: Kind,
    batch: Jobs[Kind]['batch'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Jobs[Kind]['result']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const thread = this.#idlest();
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      const request: Request = { id, kind, batch };
      thread.worker.postMessage(request, [...transfer]); // throws for what cannot be copied: then nothing waits
      thread.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
    });
  }

  async ready(): Promise<void> {
    while (this.#failure === undefined && this.#idlest().waiting.size >= IN_FLIGHT) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('the threads were ended while there was work for them');
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #start(workerData: WorkerStart): Thread {
    const own = import.meta.url;
    const worker = new Worker(new URL(own.endsWith('.ts') ? './worker.ts' : './worker.js', own), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on('message', (reply: Reply) => this.#settle(thread, reply));
    worker.on('error', (error) => this.#fail(thread, error));
    worker.on('exit', () => this.#fail(thread, this.#failure ?? new Error('unreachable: a thread ended by itself')));
    return thread;
  }

  #idlest(): Thread {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('unreachable: a pool without threads');
    return others.reduce((best, thread) => (thread.waiting.size < best.waiting.size ? thread : best), first);
  }

  #settle(thread: Thread, reply: Reply): void {
    const waiting = thread.waiting.get(reply.id);
    thread.waiting.delete(reply.id);
    collectBuffers(); // whoever hands out batches has buffers of its own, such as received bodies
    this.#wakeAll();
    if (reply.kind === 'done') waiting?.resolve(reply.result);
    else waiting?.reject(thawError(reply.error));
  }

  /** A thread that died takes its batches with it; so does the end of the pool. */
  #fail(thread: Thread, error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of thread.waiting.values()) reject(error);
    thread.waiting.clear();
    this.#wakeAll();
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
