/** Where the data of a file lie, and its holes: maps that lie before the data are read on the way. */
import { BLOCK } from './block.ts';
import { malformed, truncated } from './error.ts';
import { numberField, TYPE } from './header.ts';
import type { DataPlace } from './member.ts';
import { IN_EXTENSION, IN_HEADER, REAL_SIZE, readPairs, SparseLines } from './sparse-blocks.ts';
import { SparseMap } from './sparse-map.ts';
import { isMapStored, recordedMap, type SparseRecords } from './sparse-records.ts';
import type { Steps } from './step.ts';

/** Type S of old GNU. */
export const OLD_SPARSE = 0x53;

/** `size` is what the archive stores of the file, with a map in front of the data; `position` is behind the header. */
export function* placeOf(
  block: Buffer,
  records: SparseRecords | undefined,
  { size, position, parts }: { size: number; position: number; parts: number },
): Steps<DataPlace> {
  if (block[TYPE] === OLD_SPARSE) return yield* oldSparsePlace(block, { size, position, parts });
  if (records === undefined) return { size, sparse: undefined, dataOffset: position, storedSize: size };
  if (records.size === undefined) throw malformed('sparse file', 'its size');
  if (isMapStored(records)) return yield* mappedPlace(records.size, { size, position, parts });
  const sparse = recordedMap(records, parts).finish(records.size, size);
  return { size: records.size, sparse, dataOffset: position, storedSize: size };
}

function* oldSparsePlace(header: Buffer, at: { size: number; position: number; parts: number }): Steps<DataPlace> {
  const size = numberField(header, REAL_SIZE, 'size');
  const map = new SparseMap(at.parts);
  let dataOffset = at.position;
  let more = readPairs(header, IN_HEADER, map);
  while (more) {
    const block = yield BLOCK;
    if (block.length < BLOCK) throw truncated('sparse map');
    dataOffset += BLOCK;
    more = readPairs(block, IN_EXTENSION, map);
  }
  return { size, sparse: map.finish(size, at.size), dataOffset, storedSize: at.size };
}

/** Form 1.0: what is stored begins with the map. */
function* mappedPlace(size: number, at: { size: number; position: number; parts: number }): Steps<DataPlace> {
  const lines = new SparseLines(at.parts);
  let used = 0;
  for (let isComplete = false; !isComplete; used += BLOCK) {
    if (used + BLOCK > at.size) throw malformed('sparse map', `at most ${at.size} bytes`);
    const block = yield BLOCK;
    if (block.length < BLOCK) throw truncated('sparse map');
    isComplete = lines.add(block);
  }
  const storedSize = at.size - used;
  return { size, sparse: lines.map.finish(size, storedSize), dataOffset: at.position + used, storedSize };
}
