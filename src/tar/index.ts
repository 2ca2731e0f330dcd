/** The tar format: a streaming reader of every dialect in use, a scanner of local files, a deterministic writer. */
export type { SparsePart, TarEntry, TarEntryType, TarLimits, TarTime, TarXattr } from './entry.ts';
export { TarError, type TarErrorCode } from './error.ts';
export { readTar, type TarStreamEntry } from './read.ts';
export { safePath } from './safe-path.ts';
export { scanTar } from './scan.ts';
export { type TarDialect, TarWriter, type TarWriterEntry } from './writer.ts';
