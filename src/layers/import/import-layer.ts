/** One layer into the objects of a repository, in one pass over its archive. */
import { DirMetas, FileQueue, modifiersFor, type Stored, storeContent, type Transaction } from '../../ostree/index.ts';
import { readTar, type TarEntry } from '../../tar/index.ts';
import { LayerError } from '../error.ts';
import { LayerBuilder, type StoreFile } from './layer-builder.ts';
import { type ImportedLayer, type ImportOptions, LAYER_LIMITS } from './options.ts';

/**
 * Contents become objects; the tree holds the layer's own entries, whiteouts among them as empty files, and is not
 * written yet. The archive is read to its end. Memory: the names of the layer, and a bounded number of contents.
 *
 * @param tar uncompressed; a chunk may be used again by its source when the next one is asked for
 * @throws TarError; LayerError LAYER_LIMIT, LAYER_LINK, LAYER_SPECIAL_FILE; OstreeError MIN_FREE_SPACE,
 *   OBJECT_UNSUITABLE; SystemError
 */
export async function importLayer(
  transaction: Transaction,
  tar: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportedLayer> {
  const queue = new FileQueue(transaction, { threads: options.threads, signal: options.signal });
  try {
    return await importLayerBy(queue, transaction, tar, options);
  } finally {
    await queue.close();
  }
}

/** The same with a queue, whose threads stay for the next layer. Everything is stored when this resolves. */
export async function importLayerBy(
  queue: FileQueue,
  transaction: Transaction,
  tar: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportedLayer> {
  const limits = { ...LAYER_LIMITS, ...options.limits };
  const contents = new Contents(transaction, queue, options.signal, limits.bytes);
  const builder = new LayerBuilder(
    {
      store: contents.store,
      modifiers: modifiersFor(transaction.repository, options.modifiers ?? {}),
      reader: transaction.writer.reader,
      maxDepth: limits.depth,
    },
    options,
  );
  const counted = new CountedBytes(tar, limits.bytes);
  let entries = 0;
  let metadata = 0;
  for await (const entry of readTar(counted, { entries: limits.entries })) {
    options.signal.throwIfAborted();
    entries++;
    metadata += weightOf(entry);
    if (metadata > limits.metadata) throw tooLarge(limits.metadata, 'bytes of names and attributes');
    await builder.add(entry);
    if (queue.isFull) await queue.pass();
  }
  await queue.finish();
  const implied = new Set<string>();
  const { filtered, skipped, files, whiteouts, linksBelow } = builder;
  const { newFiles, newBytes } = contents;
  return {
    tree: builder.root.toTree(new DirMetas(transaction.writer), implied),
    implied,
    hasWhiteouts: whiteouts > 0,
    filtered,
    skipped,
    uncompressedSize: counted.size,
    counts: { entries, files, whiteouts, linksBelow, newFiles, newBytes },
  };
}

class Contents {
  newBytes = 0;
  /** Two threads may both store what they do not have yet. */
  readonly #new = new Set<string>();
  #left: number;
  readonly #limit: number;
  readonly #means: { readonly transaction: Transaction; readonly queue: FileQueue; readonly signal: AbortSignal };

  constructor(transaction: Transaction, queue: FileQueue, signal: AbortSignal, limit: number) {
    this.#means = { transaction, queue, signal };
    this.#limit = limit;
    this.#left = limit;
  }

  readonly store: StoreFile = async (file, header, entry, isEmpty) => {
    const size = isEmpty ? 0 : entry.size;
    this.#left -= size; // holes count: a small archive may promise any number of zeros
    if (this.#left < 0) throw tooLarge(this.#limit);
    const content = isEmpty ? { chunks: NOTHING } : { chunks: entry.data(), whole: () => entry.whole() };
    await storeContent(this.#means, { header, size, name: entry.path, ...content }, (stored) => {
      file.checksum = stored.checksum;
      this.#count(stored);
    });
  };

  get newFiles(): number {
    return this.#new.size;
  }

  #count({ checksum, isNew, size }: Stored): void {
    if (!isNew || this.#new.has(checksum)) return;
    this.#new.add(checksum);
    this.newBytes += size;
  }
}

/** The archive, and how long it is. */
class CountedBytes implements AsyncIterable<Uint8Array> {
  size = 0;
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #limit: number;

  constructor(source: AsyncIterable<Uint8Array>, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      this.size += chunk.length;
      if (this.size > this.#limit) throw tooLarge(this.#limit);
      yield chunk;
    }
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

function weightOf({ path, linkTarget = '', xattrs }: TarEntry): number {
  return xattrs.reduce((sum, [name, value]) => sum + name.length + value.length, path.length + linkTarget.length);
}

function tooLarge(limit: number, what = 'bytes'): LayerError {
  return new LayerError('LAYER_LIMIT', `layer: more than ${limit} ${what}`);
}
