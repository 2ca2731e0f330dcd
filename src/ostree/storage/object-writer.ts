/**
 * Writing objects into a staging directory: hash first, look up, then write. Each is complete when it has its name:
 * a killed run leaves only whole objects and temporary names. Synchronous, one per thread.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, sha256, sha256Both } from '../objects/checksum.ts';
import { encodeFileHeader, type FileHeader } from '../objects/file-header.ts';
import { type AnyType, METADATA_LIMIT, type MetadataType, objectPath } from '../objects/object-type.ts';
import { makeFanout } from './fanout.ts';
import { type FileFormat, type FileWriter, type Flush, formatOf } from './file-format.ts';
import { type FreeSpace, takeSpace } from './free-space.ts';
import { type ObjectPlace, ObjectReader } from './object-reader.ts';
import { writePlain } from './plain-file.ts';

/** Where a transaction writes; plain data, so that threads can be told of it. */
export interface WritePlace {
  /** Staged, own, parents': in the order in which objects are looked for. The first one is written to. */
  readonly places: readonly ObjectPlace[];
  readonly zlibLevel: number;
  /** What each file gets when it is written: `now` for `per-object-fsync`. */
  readonly flush: Flush;
  readonly freeSpace: FreeSpace | undefined;
  /** A killed run may have left objects in the staging directory: files are looked for there, too. */
  readonly hasLeftovers: boolean;
}

/** What came of storing an object. */
export interface Stored {
  readonly checksum: Checksum;
  /** Bytes of the content, or of the metadata object. */
  readonly size: number;
  /** Bytes of the object's own file. */
  readonly storedSize: number;
  /** False: it was there already. */
  readonly isNew: boolean;
}

export class ObjectWriter {
  readonly reader: ObjectReader;
  readonly #place: WritePlace;
  readonly #staging: string;
  readonly #format: FileFormat;
  /** Where files are looked for: in a staging directory that was empty are only those that this writer knows. */
  readonly #stored: ObjectReader;
  /** Files that this writer has staged, and the size of each on the disk. */
  readonly #written = new Map<Checksum, number>();
  readonly #fanouts = new Set<string>();
  /** Of this writer alone: a staging directory may hold what a killed run, or another thread, has begun. */
  readonly #prefix = `.new-${crypto.randomBytes(6).toString('hex')}`;
  #count = 0;

  constructor(place: WritePlace) {
    const [staging] = place.places;
    if (staging === undefined) throw new Error('unreachable: nowhere to write to');
    this.reader = new ObjectReader(place.places);
    this.#stored = place.hasLeftovers ? this.reader : new ObjectReader(place.places.slice(1));
    this.#place = place;
    this.#staging = staging.path;
    this.#format = formatOf(staging.mode);
  }

  /** @throws OstreeError TOO_LARGE */
  putMetadata(type: MetadataType, bytes: Uint8Array): Stored {
    return this.putNamedMetadata(type, sha256(bytes), bytes);
  }

  /** Metadata whose name is known: verified by the caller, or not a hash at all (`commitmeta`, tombstones). */
  putNamedMetadata(type: Exclude<AnyType, 'file'>, checksum: Checksum, bytes: Uint8Array): Stored {
    const size = bytes.length;
    if (size > METADATA_LIMIT) throw new OstreeError('TOO_LARGE', `${type} ${checksum}: ${size} bytes`);
    const isHashed = type === 'dirtree' || type === 'dirmeta' || type === 'commit';
    if (isHashed && this.reader.has(checksum, type)) return { checksum, size, storedSize: size, isNew: false };
    this.#putBytes(bytes, objectPath(checksum, type));
    return { checksum, size, storedSize: size, isNew: true };
  }

  /** A link, or a content that fits into memory. */
  putFile(header: FileHeader, content: Uint8Array): Stored {
    return this.putHashedFile(sha256Both(encodeFileHeader(header), content), header, content);
  }

  /** The same when the checksum of header and content was calculated already. */
  putHashedFile(checksum: Checksum, header: FileHeader, content: Uint8Array): Stored {
    const size = content.length;
    const present = this.present(checksum, size);
    if (present !== undefined) return present;
    const temporary = this.#temporary(this.#fanoutFor(checksum));
    const storedSize = this.#discardOnError(temporary, () => {
      const writer = this.#begin(temporary, header, size);
      const written = writing(writer, () => {
        if (size > 0) writer.write(content);
        return writer.finish(this.#place.flush);
      });
      this.#name(temporary, objectPath(checksum, this.#format.extension));
      return written;
    });
    this.#written.set(checksum, storedSize);
    return { checksum, size, storedSize, isNew: true };
  }

  /** A content of any size, whose pieces are handed over one by one. It is looked up when its checksum is known. */
  beginFile(header: FileHeader, size: number): FileSink {
    const hash = crypto.createHash('sha256').update(encodeFileHeader(header)); // fails for what cannot be encoded
    const temporary = this.#temporary();
    const writer = this.#discardOnError(temporary, () => this.#begin(temporary, header, size));
    let done = 0;
    const abort = (): void => {
      writer.abort();
      fs.rmSync(temporary, { force: true });
    };
    return {
      write: (chunk) => {
        done += chunk.length;
        if (done > size) throw sizeMismatch(size, 'more');
        hash.update(chunk);
        writer.write(chunk);
      },
      finish: (expected) => {
        if (done !== size) throw sizeMismatch(size, `${done} bytes`);
        const checksum = hash.digest('hex');
        if (expected !== undefined && expected !== checksum) throw corrupt('file', expected, checksum);
        const present = this.present(checksum, size);
        if (present !== undefined) {
          abort();
          return present;
        }
        const storedSize = this.#discardOnError(temporary, () => {
          const written = writing(writer, () => writer.finish(this.#place.flush));
          this.#name(temporary, objectPath(checksum, this.#format.extension));
          return written;
        });
        this.#written.set(checksum, storedSize);
        return { checksum, size, storedSize, isNew: true };
      },
      abort,
    };
  }

  /** A file that is exactly how this repository keeps the object, verified by the caller: hard-linked, else false. */
  linkFile(checksum: Checksum, from: string): boolean {
    const to = objectPath(checksum, this.#format.extension);
    try {
      this.#intoFanout(to, (path) => fs.linkSync(from, path));
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EEXIST') return true;
      if (code === 'EXDEV' || code === 'EMLINK' || code === 'EPERM') return false;
      throw error;
    }
  }

  /** The bytes of a `.filez` as they came, verified by the caller; only into an archive. */
  putArchived(checksum: Checksum, bytes: Uint8Array, size: number): Stored {
    const present = this.present(checksum, size);
    if (present !== undefined) return present;
    takeSpace(this.#place.freeSpace, bytes.length);
    this.#putBytes(bytes, objectPath(checksum, 'filez'));
    this.#written.set(checksum, bytes.length);
    return { checksum, size, storedSize: bytes.length, isNew: true };
  }

  /** What there is under this checksum, in the form of a result. What another thread stages meanwhile is not seen. */
  present(checksum: Checksum, size: number): Stored | undefined {
    const own = this.#written.get(checksum);
    if (own !== undefined) return { checksum, size, storedSize: own, isNew: false };
    const found = this.#stored.find(checksum, 'file');
    return found && { checksum, size, storedSize: found.stats.size, isNew: false };
  }

  /** A file that is nothing but these bytes. */
  #putBytes(bytes: Uint8Array, path: string): void {
    const temporary = this.#temporary();
    this.#discardOnError(temporary, () => {
      const writer = writePlain(temporary, (fd) => fs.fchmodSync(fd, 0o644));
      writing(writer, () => {
        writer.write(bytes);
        writer.finish(this.#place.flush);
      });
      this.#name(temporary, path);
    });
  }

  #begin(temporary: string, header: FileHeader, size: number): FileWriter {
    takeSpace(this.#place.freeSpace, size);
    return this.#format.begin(temporary, header, size, this.#place.zlibLevel);
  }

  /** Renaming within one directory is cheaper than between two, and threads do not wait for each other. */
  #temporary(directory = this.#staging): string {
    return `${directory}/${this.#prefix}-${this.#count++}`;
  }

  #name(temporary: string, path: string): void {
    this.#intoFanout(path, (target) => fs.renameSync(temporary, target));
  }

  /** Two-digit directories are made when they are first needed. */
  #intoFanout(path: string, act: (target: string) => void): void {
    this.#fanoutFor(path);
    act(`${this.#staging}/${path}`);
  }

  #fanoutFor(path: string): string {
    const fanout = path.slice(0, 2);
    const directory = `${this.#staging}/${fanout}`;
    if (!this.#fanouts.has(fanout)) {
      makeFanout(directory);
      this.#fanouts.add(fanout);
    }
    return directory;
  }

  #discardOnError<T>(temporary: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
  }
}

export interface FileSink {
  /** @throws OstreeError OBJECT_MALFORMED for more than was announced */
  write(chunk: Uint8Array): void;
  /** @throws OstreeError OBJECT_CORRUPT when it is not the expected object; OBJECT_MALFORMED for less than announced */
  finish(expected?: Checksum): Stored;
  /** Instead of `finish`. */
  abort(): void;
}

function writing<T>(writer: FileWriter, work: () => T): T {
  try {
    return work();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

function sizeMismatch(size: number, found: string): OstreeError {
  return new OstreeError('OBJECT_MALFORMED', `a content announced with ${size} bytes has ${found}`);
}

export function corrupt(type: AnyType, expected: Checksum, found: Checksum): OstreeError {
  return new OstreeError('OBJECT_CORRUPT', `${type} ${expected}: its content gives ${found}`, { subject: expected });
}
