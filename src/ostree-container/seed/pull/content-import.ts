/** Contents in their archived form into the repository, by as many threads as there are; each is verified. */
import fs from 'node:fs';
import { writeAll } from '../../../linux/files/write.ts';
import {
  type Checksum,
  decodeArchiveHeader,
  type FileHeader,
  openPool,
  type Pool,
  type Transaction,
  threadsBeside,
  WHOLE_LIMIT,
} from '../../../ostree/index.ts';
import type { TarStreamEntry } from '../../../tar/index.ts';

const BATCH_FILES = 128;
const BATCH_BYTES = 4 * 2 ** 20;

type Archived = { readonly checksum: Checksum; readonly bytes: Uint8Array };

export class ContentImport {
  /** Objects that are stored when this has finished. */
  readonly stored = new Set<Checksum>();
  bytes = 0;
  readonly #transaction: Transaction;
  readonly #pool: Pool;
  readonly #signal: AbortSignal;
  readonly #running = new Set<Promise<void>>();
  #batch: Archived[] = [];
  #batchBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #folder: string | undefined;

  /** @param expected how many objects will come */
  constructor(transaction: Transaction, expected: number, signal: AbortSignal, threads?: number) {
    this.#transaction = transaction;
    this.#signal = signal;
    this.#pool = openPool({ write: transaction.place }, threadsBeside(expected, threads));
  }

  /** A `.filez`. @throws OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED, OBJECT_UNSUITABLE, MIN_FREE_SPACE */
  async addArchived(checksum: Checksum, entry: TarStreamEntry): Promise<void> {
    this.#throwFailure();
    if (entry.size > WHOLE_LIMIT) return this.#large(checksum, entry);
    const bytes = new Uint8Array(entry.size);
    let filled = 0;
    for await (const chunk of entry.data()) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    if (decodeArchiveHeader(bytes, `file ${checksum}`).size > WHOLE_LIMIT) return this.#fromFile(checksum, [bytes]);
    this.stored.add(checksum);
    this.#batch.push({ checksum, bytes });
    this.#batchBytes += bytes.length;
    if (this.#batch.length >= BATCH_FILES || this.#batchBytes >= BATCH_BYTES) await this.#pass();
  }

  /** A file of a lower layer as the object that it must be. @throws OstreeError OBJECT_CORRUPT */
  async addPlain(checksum: Checksum, header: FileHeader, entry: TarStreamEntry): Promise<void> {
    const sink = this.#transaction.writer.beginFile(header, entry.size);
    try {
      for await (const chunk of entry.data()) {
        this.#signal.throwIfAborted();
        sink.write(chunk);
      }
      this.bytes += sink.finish(checksum).size;
      this.stored.add(checksum);
    } catch (error) {
      sink.abort();
      throw error;
    }
  }

  async finish(): Promise<void> {
    await this.#pass();
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  async close(): Promise<void> {
    await Promise.all(this.#running);
    await this.#pool.close();
    if (this.#folder !== undefined) fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  async #pass(): Promise<void> {
    if (this.#batch.length === 0) return;
    const objects = this.#batch;
    this.bytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#pool.ready();
    this.#signal.throwIfAborted();
    this.#throwFailure();
    const keepBytes = this.#transaction.repository.mode === 'archive';
    const memory = objects.map(({ bytes }) => bytes.buffer as ArrayBuffer); // made above, each its own
    const running: Promise<void> = this.#pool
      .run('store-archived', { objects, keepBytes, trusted: false }, memory)
      .then(
        () => undefined,
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .then(() => void this.#running.delete(running));
    this.#running.add(running);
    if (this.#pool.threads === 0) await running;
  }

  async #large(checksum: Checksum, entry: TarStreamEntry): Promise<void> {
    await this.#fromFile(checksum, entry.data());
  }

  /** Too large for the memory: it is written beside the objects first, and an archive then links to it. */
  async #fromFile(checksum: Checksum, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { repository } = this.#transaction;
    this.#folder ??= fs.mkdtempSync(`${repository.root}/tmp/tako-pull-`);
    const fanout = `${this.#folder}/${checksum.slice(0, 2)}`;
    fs.mkdirSync(fanout, { recursive: true });
    const path = `${fanout}/${checksum.slice(2)}.filez`;
    const fd = fs.openSync(path, 'wx', 0o644);
    try {
      for await (const chunk of chunks) {
        this.#signal.throwIfAborted();
        this.bytes += chunk.length;
        writeAll(fd, chunk);
      }
    } finally {
      fs.closeSync(fd);
    }
    await this.#pool.run('import-objects', {
      from: [{ path: this.#folder, mode: 'archive' }],
      objects: [{ checksum, type: 'file' }],
      verify: true,
      mayLink: repository.mode === 'archive',
    });
    fs.rmSync(path);
    this.stored.add(checksum);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
