/**
 * Work on many objects that a thread can do by itself: a batch in, results out. Handlers are imported where they run.
 * A batch and its results are plain data, for they are copied between threads.
 */

import { collectBuffers } from '../../linux/processes/collect-buffers.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { ObjectWriter } from '../storage/object-writer.ts';
import type { DiffBatch, DiffResult } from './diff-files.ts';
import type { FsckBatch, FsckObjectsResult } from './fsck-objects.ts';
import type { ImportBatch, ImportResult } from './import-objects.ts';
import type { ArchivedBatch, ArchivedResult } from './store-archived.ts';
import type { FilesBatch, FilesResult } from './store-files.ts';

/** Kind of job: what goes in, what comes out. */
export interface Jobs {
  /** Files of a directory or ranges of a tar, into the repository. */
  readonly 'store-files': { readonly batch: FilesBatch; readonly result: FilesResult };
  /** `.filez` bytes as they were received. */
  readonly 'store-archived': { readonly batch: ArchivedBatch; readonly result: ArchivedResult };
  /** Read objects back and compare them with their names; stops at nothing. */
  readonly 'fsck-objects': { readonly batch: FsckBatch; readonly result: FsckObjectsResult };
  /** Objects of another repository. */
  readonly 'import-objects': { readonly batch: ImportBatch; readonly result: ImportResult };
  /** How new files are made of old ones. */
  readonly 'diff-files': { readonly batch: DiffBatch; readonly result: DiffResult };
}

export type JobKind = keyof Jobs;

/** What a handler works with; the writer only where something is stored. */
export interface JobContext {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter | undefined;
}

export type Handler<Kind extends JobKind> = (
  context: JobContext,
  batch: Jobs[Kind]['batch'],
) => Jobs[Kind]['result'] | Promise<Jobs[Kind]['result']>;

const HANDLERS: { readonly [Kind in JobKind]: () => Promise<Handler<Kind>> } = {
  'store-files': async () => (await import('./store-files.ts')).storeFiles,
  'store-archived': async () => (await import('./store-archived.ts')).storeArchived,
  'fsck-objects': async () => (await import('./fsck-objects.ts')).fsckObjects,
  'import-objects': async () => (await import('./import-objects.ts')).importObjects,
  'diff-files': async () => (await import('./diff-files.ts')).diffFiles,
};

export async function runJob<Kind extends JobKind>(
  kind: Kind,
  context: JobContext,
  batch: Jobs[Kind]['batch'],
): Promise<Jobs[Kind]['result']> {
  const handler = await HANDLERS[kind]();
  const result = await handler(context, batch);
  collectBuffers();
  return result;
}

export function writerOf({ writer }: JobContext): ObjectWriter {
  if (writer === undefined) throw new Error('unreachable: a job that stores, without a transaction');
  return writer;
}
