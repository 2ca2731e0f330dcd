/** Received contents on their way into the repository: collected into batches, and handed to the pool. */
import type { Pool } from '../jobs/pool.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { LargeObjects } from './large-objects.ts';

const BATCH_BYTES = 2 * 2 ** 20;
const BATCH_OBJECTS = 128;

export interface ContentPorts {
  readonly pool: () => Pool;
  readonly large: LargeObjects;
  readonly content: { readonly keepBytes: boolean; readonly trusted: boolean; readonly plainModes: boolean };
}

interface Received {
  readonly checksum: Checksum;
  readonly bytes: Uint8Array;
}

export class ContentStore {
  readonly #ports: ContentPorts;
  readonly #onFailure: (error: unknown) => void;
  readonly #running = new Set<Promise<unknown>>();
  readonly #cached = new Map<ObjectReader, Checksum[]>();
  #batch: Received[] = [];
  #bytes = 0;
  #failed: { readonly error: unknown } | undefined;

  constructor(ports: ContentPorts, onFailure: (error: unknown) => void) {
    this.#ports = ports;
    this.#onFailure = onFailure;
  }

  /** Resolves when there is room for more. */
  async add(checksum: Checksum, bytes: Uint8Array): Promise<void> {
    if (unpackedSize(bytes) > WHOLE_LIMIT) return this.#ports.large.store(checksum, bytes);
    this.#batch.push({ checksum, bytes });
    this.#bytes += bytes.length;
    if (this.#batch.length >= BATCH_OBJECTS || this.#bytes >= BATCH_BYTES) await this.#flush();
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
    if (this.#batch.length > 0) await this.#flush();
    for (const from of this.#cached.keys()) await this.#flushCached(from);
    await this.settled();
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** Nothing is being written any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #flush(): Promise<void> {
    const { objects, buffer } = pack(this.#batch, this.#bytes);
    this.#batch = [];
    this.#bytes = 0;
    const pool = this.#ports.pool();
    await pool.ready();
    this.#run(pool.run('store-archived', { objects, ...this.#ports.content }, [buffer]));
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

/** One buffer, which is given to a thread as a whole and not copied once more. */
function pack(batch: readonly Received[], size: number) {
  const buffer = new ArrayBuffer(size);
  let offset = 0;
  const objects = batch.map(({ checksum, bytes }) => {
    const place = new Uint8Array(buffer, offset, bytes.length);
    place.set(bytes);
    offset += bytes.length;
    return { checksum, bytes: place };
  });
  return { objects, buffer };
}
