/**
 * What pax records say about the holes of a file.
 *
 * Shape: GNU form 0.0 has a size and a pair of records `offset`, `numbytes` for each part; 0.1 has all numbers in one
 * record `map` with commas between; 1.0 has only `major`, `minor` and `realsize`, and the map before the data: decimal
 * numbers with a newline behind each, the count of parts and then offset and length of each, padded to a block.
 * Source: GNU tar manual, "Sparse Formats".
 */
import { decodeDecimal } from '../base/decode.ts';
import { malformed, overLimit, TarError } from './error.ts';
import type { PaxLimits } from './pax.ts';
import { SparseMap } from './sparse-map.ts';
import { decodePath } from './text-field.ts';

export interface SparseRecords {
  major?: number | undefined;
  minor?: number | undefined;
  /** The true name; the entry's own names a folder that a tar without sparse files unpacks to. */
  name?: string | undefined;
  /** The size with holes. */
  size?: number | undefined;
  parts?: number | undefined;
  /** Offsets and lengths in turn. */
  map: number[];
}

/** What was known, with the record `GNU.sparse.KEY`. */
export function applySparseRecord(
  records: SparseRecords = { map: [] },
  key: string,
  value: Buffer,
  limits: PaxLimits,
): SparseRecords {
  const text = value.toString('latin1');
  const number = (): number | undefined => (text === '' ? undefined : decimal(text, key));
  if (key === 'major') records.major = number();
  else if (key === 'minor') records.minor = number();
  else if (key === 'name') records.name = text === '' ? undefined : decodePath(value, 'path', limits.pathLength);
  else if (key === 'size' || key === 'realsize') records.size = number();
  else if (key === 'numblocks') records.parts = number();
  else if (key === 'map') records.map = text === '' ? [] : text.split(',').map((word) => decimal(word, key));
  else if (key === 'offset' || key === 'numbytes') addNumber(records, key, decimal(text, key));
  if (records.map.length > 2 * limits.sparseParts) throw overLimit('sparse map', limits.sparseParts, 'parts');
  return records;
}

/** Is the map in front of the data? */
export function isMapStored(records: SparseRecords): boolean {
  const { major = 0, minor = 0 } = records;
  if (major > 1 || (major === 1 && minor > 0)) {
    throw new TarError('TAR_UNSUPPORTED', `tar sparse file: form ${major}.${minor} is not known`);
  }
  return major === 1;
}

/** The map that the records of the forms 0.0 and 0.1 hold. */
export function recordedMap({ map, parts }: SparseRecords, limit: number): SparseMap {
  if (map.length % 2 !== 0) throw malformed('sparse map', 'an offset and a length of each part');
  if (parts !== undefined && parts !== map.length / 2) throw malformed('sparse map', `${parts} parts`, map.length / 2);
  const made = new SparseMap(limit);
  for (let i = 0; i < map.length; i += 2) made.add(map[i] ?? 0, map[i + 1] ?? 0);
  return made;
}

function addNumber(records: SparseRecords, key: 'offset' | 'numbytes', value: number): void {
  if ((records.map.length % 2 === 0) !== (key === 'offset'))
    throw malformed('sparse map', 'offsets and lengths in turn');
  records.map.push(value);
}

function decimal(text: string, key: string): number {
  const value = decodeDecimal(text);
  if (value === undefined) throw malformed(`pax record GNU.sparse.${key}`, 'a number', text);
  return value;
}
