/** Objects of another repository on this machine: linked when both keep them alike, else read and stored anew. */
import { codeOf } from '../../base/error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { assertPlainMode } from '../objects/file-header.ts';
import { type ObjectPlace, ObjectReader, placePath } from '../storage/object-reader.ts';
import { corrupt, type ObjectWriter } from '../storage/object-writer.ts';
import { type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
import { type JobContext, writerOf } from './table.ts';
import { type ObjectName, verifyObject } from './verify-objects.ts';

export interface ImportBatch {
  readonly from: readonly ObjectPlace[];
  readonly objects: readonly ObjectName[];
  /** Hash what is linked, too. What is converted is hashed in any case. */
  readonly verify: boolean;
  /** Link only where both modes are this one and the owner of files is kept. */
  readonly mayLink: boolean;
  /** Refuse files with a mode outside of 0775 (`--bareuseronly-files`). */
  readonly plainModes?: boolean;
  /** The caller has looked: none of them is here. */
  readonly areNew?: boolean;
}

export interface ImportResult {
  readonly linked: number;
  readonly copied: number;
  /** Bytes of the contents that were copied. */
  readonly bytes: number;
}

const readers = new WeakMap<readonly ObjectPlace[], ObjectReader>();

/** @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED, OBJECT_UNSUITABLE */
export async function importObjects(context: JobContext, batch: ImportBatch): Promise<ImportResult> {
  const writer = writerOf(context);
  const reader = readers.get(batch.from) ?? new ObjectReader(batch.from);
  readers.set(batch.from, reader);
  let linked = 0;
  let copied = 0;
  let bytes = 0;
  for (const object of batch.objects) {
    if (batch.areNew !== true && writer.reader.has(object.checksum, object.type)) continue;
    if (batch.plainModes === true && object.type === 'file') assertStoredMode(reader, object.checksum);
    if (batch.mayLink && object.type === 'file' && (await linkFile(reader, writer, object, batch.verify))) {
      linked++;
      continue;
    }
    bytes += await copyObject(reader, writer, object);
    copied++;
  }
  return { linked, copied, bytes };
}

function assertStoredMode(reader: ObjectReader, checksum: Checksum): void {
  const stored = reader.file(checksum);
  try {
    assertPlainMode(stored.header, `file ${checksum}`);
  } finally {
    stored.close();
  }
}

async function linkFile(
  reader: ObjectReader,
  writer: ObjectWriter,
  object: ObjectName,
  verify: boolean,
): Promise<boolean> {
  if (verify) await verifyObject(reader, object);
  for (const { path, mode } of reader.places) {
    try {
      return writer.linkFile(object.checksum, placePath(path, mode, object.checksum, 'file'));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error; // not here; whether it is anywhere is found out by copying
    }
  }
  return false;
}

/** Bytes of the content. */
async function copyObject(reader: ObjectReader, writer: ObjectWriter, { checksum, type }: ObjectName): Promise<number> {
  if (type !== 'file') {
    const bytes = reader.metadata(checksum, type);
    const stored = writer.putMetadata(type, bytes);
    if (stored.checksum !== checksum) throw corrupt(type, checksum, stored.checksum);
    return bytes.length;
  }
  const stored = reader.file(checksum);
  try {
    return await copyFile(writer, stored, checksum);
  } finally {
    stored.close();
  }
}

async function copyFile(writer: ObjectWriter, stored: StoredFile, checksum: Checksum): Promise<number> {
  if (stored.size <= WHOLE_LIMIT && stored.storedSize <= WHOLE_LIMIT) {
    const put = writer.putFile(stored.header, stored.bytes());
    if (put.checksum !== checksum) throw corrupt('file', checksum, put.checksum);
    return put.size;
  }
  const sink = writer.beginFile(stored.header, stored.size);
  try {
    for await (const chunk of stored.chunks()) sink.write(chunk);
    sink.finish(checksum);
    return stored.size;
  } catch (error) {
    sink.abort();
    throw error;
  }
}
