/** Entries of an archive that comes as a stream, each with its content. */
import { padded } from './block.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TarEntry, TarLimits } from './entry.ts';
import { truncated } from './error.ts';
import { parseTar } from './parser.ts';

export interface TarStreamEntry extends TarEntry {
  /**
   * The logical content, once, and only before the next entry is asked for. Holes come as zeros in chunks of at most
   * 1 MiB. A chunk is valid until the next one is asked for. Empty for everything but files.
   *
   * @throws TarError TAR_TRUNCATED
   */
  data(): AsyncIterable<Uint8Array>;
  /**
   * The same at once, when the stream has brought all of it already, valid until the next entry is asked for.
   * Undefined: `data` has it.
   */
  whole(): Uint8Array | undefined;
}

/** Chunks of a hole. */
const HOLE_CHUNK = 2 ** 20;

/**
 * Entries of an uncompressed tar stream, in order. What of an entry's data is not read is passed over when the next
 * entry is asked for. The source is read to its end, so that a digest taken on the way covers all of it; how much
 * may come behind the archive is for the source to limit. What is accepted is the same as with `scanTar`.
 *
 * @throws TarError TAR_MALFORMED, TAR_TRUNCATED, TAR_LIMIT, TAR_NAME, TAR_UNSUPPORTED
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: TarLimits = {},
): AsyncGenerator<TarStreamEntry> {
  const queue = new ByteQueue(source);
  try {
    const parser = parseTar(limits);
    let step = parser.next();
    while (step.done !== true) {
      if (typeof step.value !== 'number') {
        const body = new Body(queue, step.value);
        yield Object.assign(step.value, { data: () => body.read(), whole: () => body.whole() });
        await body.pass();
        step = parser.next();
      } else if (step.value > 0) {
        step = parser.next(queue.takeNow(step.value) ?? (await queue.take(step.value)));
      } else {
        if (!(await queue.pass(-step.value))) throw truncated('data');
        step = parser.next();
      }
    }
    await queue.drain();
  } finally {
    await queue.close();
  }
}

/** The data of one entry as they lie in the stream. */
class Body {
  readonly #queue: ByteQueue;
  readonly #entry: TarEntry;
  /** Stored bytes not yet read, without the padding. */
  #left: number;
  #isTaken = false;

  constructor(queue: ByteQueue, entry: TarEntry) {
    this.#queue = queue;
    this.#entry = entry;
    this.#left = entry.storedSize;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.#isTaken) throw new Error(`the data of ${this.#entry.path} are read twice, or too late`);
    this.#isTaken = true;
    const { sparse, size, storedSize } = this.#entry;
    if (sparse === undefined) {
      yield* this.#stored(storedSize);
      return;
    }
    let at = 0;
    for (const { offset, length } of sparse) {
      yield* zeros(offset - at);
      yield* this.#stored(length);
      at = offset + length;
    }
    yield* zeros(size - at);
  }

  whole(): Uint8Array | undefined {
    if (this.#isTaken || this.#entry.sparse !== undefined) return undefined;
    const bytes = this.#queue.takeNow(this.#left);
    if (bytes === undefined) return undefined;
    this.#isTaken = true;
    this.#left = 0;
    return bytes;
  }

  /** Go behind the padding. */
  async pass(): Promise<void> {
    this.#isTaken = true;
    const { storedSize, path } = this.#entry;
    const left = this.#left;
    const padding = padded(storedSize) - storedSize;
    this.#left = 0;
    if (left + padding === 0 || this.#queue.takeNow(left + padding) !== undefined) return;
    if (left > 0 && !(await this.#queue.pass(left))) throw truncated(path);
    await this.#queue.pass(padding); // nothing is lost when the archive ends before: the next header is missing then
  }

  async *#stored(length: number): AsyncGenerator<Uint8Array> {
    let left = length;
    while (left > 0) {
      if (this.#left === 0) throw new Error(`the data of ${this.#entry.path} are read too late`);
      const part = await this.#queue.takeSome(left);
      if (part.length === 0) throw truncated(this.#entry.path);
      left -= part.length;
      this.#left -= part.length;
      yield part;
    }
  }
}

function* zeros(length: number): Generator<Uint8Array> {
  if (length === 0) return;
  const chunk = Buffer.alloc(Math.min(length, HOLE_CHUNK));
  for (let left = length; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}
