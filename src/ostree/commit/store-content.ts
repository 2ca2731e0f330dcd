/** A content that comes as a stream: in one buffer by way of the threads, or piece by piece when it is large. */
import type { FileHeader } from '../objects/file-header.ts';
import type { Stored } from '../storage/object-writer.ts';
import { WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { FileQueue } from './file-queue.ts';

export interface ContentMeans {
  readonly transaction: Transaction;
  readonly queue: FileQueue;
  readonly signal: AbortSignal;
}

export interface StreamedContent {
  readonly header: FileHeader;
  /** Exactly so many bytes come. */
  readonly size: number;
  /** For messages. */
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The same at once, where it is here already; asked first. */
  readonly whole?: (() => Uint8Array | undefined) | undefined;
}

/** The chunks are read before this resolves; `onStored` may be called later, by the queue. */
export async function storeContent(
  means: ContentMeans,
  content: StreamedContent,
  onStored: (stored: Stored) => void,
): Promise<void> {
  const { header, size, name, chunks } = content;
  if (size > WHOLE_LIMIT) {
    onStored(await storeLarge(means, header, size, chunks));
    return;
  }
  const bytes = means.queue.roomFor(size);
  await fill(bytes, content);
  means.queue.add({ header, size, source: { kind: 'bytes', bytes }, name }, onStored);
}

/** On this thread. */
async function storeLarge(
  { transaction, signal }: ContentMeans,
  header: FileHeader,
  size: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Stored> {
  const sink = transaction.writer.beginFile(header, size);
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      sink.write(chunk);
    }
    return sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

async function fill(bytes: Uint8Array, { whole, chunks }: StreamedContent): Promise<void> {
  if (bytes.length === 0) return;
  const found = whole?.();
  if (found !== undefined) {
    bytes.set(found);
    return;
  }
  let filled = 0;
  for await (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
}
