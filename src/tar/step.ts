import type { TarEntry } from './entry.ts';

/**
 * What the parser wants from whoever holds the bytes.
 *
 * A number above 0: so many bytes, or fewer when the archive ends before; they may be overwritten at the next step.
 * A number below 0: so many bytes are to be passed over. An entry: it is for the reader's caller, then its stored
 * data, padded to whole blocks, are to be passed over. Passing over the end is TAR_TRUNCATED; but an
 * archive may end where the padding of its last entry should begin.
 */
export type Step = number | TarEntry;
export type Steps<Result> = Generator<Step, Result, Buffer>;
