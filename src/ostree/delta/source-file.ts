/** The content of an object that is here, to be read at any place: what a delta's copies and patches refer to. */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import { openNamelessFile, temporaryFolder } from '../../linux/files/nameless-file.ts';
import { writeAll } from '../../linux/files/write.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { OldSource } from './algorithms/bspatch.ts';

export interface SourceFile extends OldSource {
  close(): void;
}

/** @throws OstreeError OBJECT_MISSING */
export async function openSource(reader: ObjectReader, checksum: Checksum): Promise<SourceFile> {
  const stored = reader.file(checksum);
  try {
    if (stored.plainFd !== undefined) return fromFd(stored.plainFd, stored.size, () => stored.close());
    const source = stored.size <= WHOLE_LIMIT ? fromBytes(stored.bytes()) : await unpacked(stored);
    stored.close();
    return source;
  } catch (error) {
    stored.close();
    throw error;
  }
}

function fromFd(fd: number, size: number, close: () => void): SourceFile {
  return { size, read: (offset, into) => fs.readSync(fd, into, 0, into.length, offset), close };
}

function fromBytes(content: Uint8Array): SourceFile {
  return {
    size: content.length,
    read(offset, into) {
      const part = content.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

/** A large object of an archive, in a file without name. */
async function unpacked(stored: StoredFile): Promise<SourceFile> {
  const fd = openNamelessFile();
  try {
    for await (const chunk of stored.chunks()) naming(temporaryFolder(), () => writeAll(fd, chunk));
    return fromFd(fd, stored.size, () => fs.closeSync(fd));
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
