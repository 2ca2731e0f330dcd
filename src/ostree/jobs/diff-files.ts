/** How new files are made of old ones, both in the repository: for static deltas. */
import { bsdiff } from '../delta/algorithms/bsdiff.ts';
import { matchChunks, type Segment } from '../delta/algorithms/rollsum.ts';
import { type Checksum, sha256Both } from '../objects/checksum.ts';
import { encodeFileHeader } from '../objects/file-header.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { corrupt } from '../storage/object-writer.ts';
import { type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { JobContext } from './table.ts';

export interface DiffBatch {
  readonly way: 'rollsum' | 'bsdiff';
  readonly pairs: readonly { readonly from: Checksum; readonly to: Checksum }[];
}

export type FileDiff =
  | {
      readonly way: 'rollsum';
      readonly segments: readonly Segment[] /** In their order. */;
      readonly literals: Uint8Array;
    }
  | { readonly way: 'bsdiff'; readonly patch: Uint8Array }
  /** Too little in common for the way that was asked for. */
  | { readonly way: 'none' };

export interface DiffResult {
  /** One for each pair, in their order. */
  readonly diffs: readonly FileDiff[];
}

/** Chunks of the new file that are in the old one: with fewer a patch is smaller. */
const ENOUGH = 0.5;

export async function diffFiles({ reader }: JobContext, { way, pairs }: DiffBatch): Promise<DiffResult> {
  const diffs: FileDiff[] = [];
  for (const { from, to } of pairs) {
    const [before, after] = [await readContent(reader, from), await readContent(reader, to)];
    diffs.push(way === 'bsdiff' ? { way, patch: bsdiff(before, after) } : rollsumDiff(before, after));
  }
  return { diffs };
}

function rollsumDiff(before: Uint8Array, after: Uint8Array): FileDiff {
  const { matchRatio, segments } = matchChunks(before, after);
  if (matchRatio < ENOUGH) return { way: 'none' };
  const literals = segments.flatMap((segment) =>
    segment.kind === 'literal' ? [after.subarray(segment.newOffset, segment.newOffset + segment.length)] : [],
  );
  return { way: 'rollsum', segments, literals: Buffer.concat(literals) };
}

/**
 * The whole content, compared with its name: a delta of a damaged object helps nobody. Callers know the size.
 * @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, OBJECT_CORRUPT
 */
export async function readContent(reader: ObjectReader, checksum: Checksum): Promise<Uint8Array> {
  const stored = reader.file(checksum);
  try {
    const content = stored.size <= WHOLE_LIMIT ? stored.bytes() : await gather(stored);
    const found = sha256Both(encodeFileHeader(stored.header), content);
    if (found !== checksum) throw corrupt('file', checksum, found);
    return content;
  } finally {
    stored.close();
  }
}

async function gather(stored: StoredFile): Promise<Uint8Array> {
  const content = Buffer.allocUnsafe(stored.size);
  let done = 0;
  for await (const chunk of stored.chunks()) {
    content.set(chunk, done);
    done += chunk.length;
  }
  return content;
}
