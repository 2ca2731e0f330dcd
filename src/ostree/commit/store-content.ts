/** A content that comes as a stream: in one buffer by way of the threads, or piece by piece when it is large. */
import { collectBuffers } from '../jobs/garbage.ts';
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
}

/** The chunks are read before this resolves; `onStored` may be called later, by the queue. */
export async function storeContent(
  means: ContentMeans,
  { header, size, name, chunks }: StreamedContent,
  onStored: (stored: Stored) => void,
): Promise<void> {
  if (size > WHOLE_LIMIT) onStored(await storeLarge(means, header, size, chunks));
  else means.queue.add({ header, size, source: { kind: 'bytes', bytes: await wholeOf(size, chunks) }, name }, onStored);
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
      collectBuffers(); // chunks of a stream: without it as many wait as the file is large
    }
    return sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

/** In memory of its own, so that it can be given to a thread. */
async function wholeOf(size: number, chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}
