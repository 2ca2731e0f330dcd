/**
 * An archive onto a tree: a plain tar on this machine by its headers, its contents read where they lie by threads;
 * everything else (compressed, or from a pipe) as a stream.
 */
import fs from 'node:fs';
import { decompress, detectCompression } from '../../compression/index.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { openFilePath } from '../../linux/files/walk.ts';
import { readTar, scanTar } from '../../tar/index.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { AddOptions } from './add-directory.ts';
import { FileQueue } from './file-queue.ts';
import type { Modifiers } from './modifiers.ts';
import type { MutableTree } from './mutable-tree.ts';
import { reportBytes } from './report-bytes.ts';
import { TarImport } from './tar-import.ts';

export interface AddTarOptions extends AddOptions {
  /** Directories that no entry describes are made, 0755. Otherwise they are PATH_MISSING. */
  readonly autocreateParents?: boolean | undefined;
  /** What an entry, or the target of a hard link, is to be called: `usr/bin/sh` in, a path out. Not for the root. */
  readonly rename?: ((path: string) => string) | undefined;
}

/** A file by its name, or bytes from elsewhere, with a name for messages. */
export type TarSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<Uint8Array>; readonly name: string };

/**
 * Later entries replace earlier ones; a hard link is the file that its target is at this moment. Sparse files become
 * plain ones, with their holes as zeros.
 * @throws TarError; CompressionError; OstreeError FILE_TYPE for devices and fifos, PATH_MISSING for a hard link without
 *   target and a directory that is not described, TARGET_EXISTS; CodedError NOT_A_REGULAR_FILE; SystemError
 */
export async function addTar(
  transaction: Transaction,
  tree: MutableTree,
  source: TarSource,
  modifiers: Modifiers,
  options: AddTarOptions,
): Promise<void> {
  if (source.kind === 'stream') {
    await withQueue(transaction, { name: source.name, total: undefined }, options, (queue) => {
      const entries = new TarImport(transaction, tree, modifiers, queue, options);
      return addStream(entries, queue, source.stream, options.signal);
    });
    return;
  }
  const { fd, stats } = openFilePath(source.path);
  try {
    const packed = isCompressed(fd, source.path);
    const total = packed ? undefined : stats.size;
    await withQueue(transaction, { name: source.path, total }, options, async (queue) => {
      const entries = new TarImport(transaction, tree, modifiers, queue, options);
      if (packed) await addStream(entries, queue, bytesOf(fd), options.signal);
      else await addFile(entries, queue, fd);
    });
  } finally {
    fs.closeSync(fd);
  }
}

async function addFile(entries: TarImport, queue: FileQueue, fd: number): Promise<void> {
  for (const entry of scanTar(fd)) {
    await entries.add(entry, { kind: 'file', fd });
    if (queue.isFull) await queue.pass();
  }
  await queue.finish();
  entries.finish();
}

async function addStream(
  entries: TarImport,
  queue: FileQueue,
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  // How large a content may be is decided by the space that the repository leaves free.
  const unpacked = decompress(stream, { format: 'detect', limit: Number.MAX_SAFE_INTEGER, signal });
  for await (const entry of readTar(unpacked)) {
    await entries.add(entry, { kind: 'stream', data: () => entry.data(), whole: () => entry.whole() });
    if (queue.isFull) await queue.pass();
  }
  await queue.finish();
  entries.finish();
}

async function withQueue(
  transaction: Transaction,
  { name, total }: { readonly name: string; readonly total: number | undefined },
  options: AddTarOptions,
  work: (queue: FileQueue) => Promise<void>,
): Promise<void> {
  const report = reportBytes(name, total, options.onProgress);
  const queue = new FileQueue(transaction, { ...options, onBytes: report.advance });
  let ok = false;
  try {
    await work(queue);
    ok = true;
  } finally {
    await queue.close();
    report.end(ok);
  }
}

function isCompressed(fd: number, path: string): boolean {
  const start = Buffer.alloc(8);
  const length = naming(path, () => fs.readSync(fd, start, 0, start.length, 0));
  return detectCompression(start.subarray(0, length)) !== 'none';
}

async function* bytesOf(fd: number): AsyncGenerator<Uint8Array> {
  const { size } = fs.fstatSync(fd);
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(2 ** 20); // a new one each time: decoders may still be at work on the last one
    const length = fs.readSync(fd, chunk, 0, chunk.length, at);
    if (length === 0) return; // shorter than it was: the decoder says so
    yield chunk.subarray(0, length);
    at += length;
  }
}
