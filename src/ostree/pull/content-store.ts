/** Received contents on their way into the repository: collected into batches, and handed to the pool. */
import type { Pool } from '../jobs/pool.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { LargeObjects } from './large-objects.ts';

/** Bytes that are handed to a thread at once; no content may be larger. */
export const ARENA = 2 ** 20;
const BATCH_OBJECTS = 128;
/** Batches that wait or are being worked on. When all are in use, nothing more is received. */
const ARENAS = 5;

export interface ContentPorts {
  readonly pool: () => Pool;
  readonly large: LargeObjects;
  readonly content: { readonly keepBytes: boolean; readonly trusted: boolean; readonly plainModes: boolean };
}

/** Memory that is filled, lent to a thread and used again: fresh buffers would wait for the garbage collectors. */
interface Batch {
  readonly arena: SharedArrayBuffer;
  used: number;
  readonly objects: { readonly checksum: Checksum; readonly bytes: Uint8Array }[];
}

export class ContentStore {
  readonly #ports: ContentPorts;
  readonly #onFailure: (error: unknown) => void;
  readonly #running = new Set<Promise<unknown>>();
  readonly #cached = new Map<ObjectReader, Checksum[]>();
  readonly #free: SharedArrayBuffer[] = [];
  #made = 0;
  #waiting: (() => void)[] = [];
  #batch: Batch | undefined;
  #failed: { readonly error: unknown } | undefined;

  constructor(ports: ContentPorts, onFailure: (error: unknown) => void) {
    this.#ports = ports;
    this.#onFailure = onFailure;
  }

  /** At most `ARENA` bytes. Resolves when they were copied: there is room for more then. */
  async add(checksum: Checksum, bytes: Uint8Array): Promise<void> {
    if (unpackedSize(bytes) > WHOLE_LIMIT) return this.#ports.large.store(checksum, bytes);
    let batch = this.#batch;
    while (batch === undefined || batch.used + bytes.length > ARENA || batch.objects.length >= BATCH_OBJECTS) {
      if (batch !== undefined) this.#flush();
      const arena = this.#takeArena();
      if (arena === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      else this.#batch = { arena, used: 0, objects: [] };
      batch = this.#batch;
    }
    const place = new Uint8Array(batch.arena, batch.used, bytes.length);
    place.set(bytes);
    batch.used += bytes.length;
    batch.objects.push({ checksum, bytes: place });
  }

  #takeArena(): SharedArrayBuffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#made >= ARENAS) return free;
    this.#made++;
    return new SharedArrayBuffer(ARENA);
  }

  #flush(): void {
    if (this.#batch === undefined) return;
    const { arena, objects } = this.#batch;
    this.#batch = undefined;
    const job = this.#ports.pool().run('store-archived', { objects, ...this.#ports.content });
    this.#run(
      job.finally(() => {
        this.#free.push(arena);
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const resolve of waiting) resolve();
      }),
    );
  }

  /** An object of another repository on this machine, verified on its way. */
  async addCached(checksum: Checksum, from: ObjectReader): Promise<void> {
    const list = this.#cached.get(from) ?? [];
    this.#cached.set(from, list);
    list.push(checksum);
    if (list.length >= BATCH_OBJECTS) await this.#flushCached(from);
  }

  /** @throws what storing failed with */
  async finish(): Promise<void> {
    this.#flush();
    for (const from of this.#cached.keys()) await this.#flushCached(from);
    await this.settled();
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** Nothing is being written any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #flushCached(from: ObjectReader): Promise<void> {
    const checksums = this.#cached.get(from) ?? [];
    this.#cached.delete(from);
    const objects = checksums.map((checksum) => ({ checksum, type: 'file' as const }));
    const pool = this.#ports.pool();
    await pool.ready();
    const { plainModes } = this.#ports.content;
    const batch = { from: from.places, objects, verify: true, mayLink: false, plainModes };
    this.#run(pool.run('import-objects', batch));
  }

  #run(job: Promise<unknown>): void {
    const running = job.catch((error: unknown) => {
      this.#failed ??= { error };
      this.#onFailure(error);
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }
}

/** The size that a `.filez` says its content has: the first number of its header. Judged in earnest later. */
function unpackedSize(bytes: Uint8Array): number {
  if (bytes.length < 16) return 0;
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset + 8, 8).readBigUInt64BE());
}
