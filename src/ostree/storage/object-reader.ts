/** Finding and reading objects: staged ones first, then those of the repository, then of its parents. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Vardict } from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import { decodeDetached } from '../objects/detached.ts';
import { type DirMeta, decodeDirMeta } from '../objects/dirmeta.ts';
import { type DirTree, decodeDirTree } from '../objects/dirtree.ts';
import { type AnyType, METADATA_LIMIT, type MetadataType, objectPath } from '../objects/object-type.ts';
import type { RepositoryMode } from '../repository/config.ts';
import type { Repository } from '../repository/repository.ts';
import { formatOf } from './file-format.ts';
import { openObject } from './open-object.ts';
import type { StoredFile } from './stored-file.ts';

/** A directory of objects, two digits deep; plain data, so that threads can be told of it. */
export interface ObjectPlace {
  /** For calls, valid in every thread of this process. */
  readonly path: string;
  readonly mode: RepositoryMode;
}

export interface FoundObject {
  readonly path: string;
  readonly mode: RepositoryMode;
  readonly stats: fs.Stats;
}

export class ObjectReader {
  readonly places: readonly ObjectPlace[];

  constructor(places: readonly ObjectPlace[]) {
    this.places = places;
  }

  find(checksum: Checksum, type: AnyType): FoundObject | undefined {
    for (const { path: directory, mode } of this.places) {
      const path = placePath(directory, mode, checksum, type);
      const stats = unlessAbsent(() => fs.lstatSync(path, { throwIfNoEntry: false }));
      if (stats !== undefined) return { path, mode, stats };
    }
    return undefined;
  }

  has(checksum: Checksum, type: AnyType): boolean {
    return this.find(checksum, type) !== undefined;
  }

  /** The bytes of a metadata object as they are stored; nothing is checked but their number. */
  metadataIfPresent(checksum: Checksum, type: Exclude<AnyType, 'file'>): Uint8Array | undefined {
    for (const { path: directory, mode } of this.places) {
      const bytes = readMetadata(placePath(directory, mode, checksum, type), `${type} ${checksum}`);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  /** @throws OstreeError OBJECT_MISSING */
  metadata(checksum: Checksum, type: MetadataType): Uint8Array {
    const bytes = this.metadataIfPresent(checksum, type);
    if (bytes === undefined) throw missing(checksum, type);
    return bytes;
  }

  /** @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED; the others likewise */
  commit(checksum: Checksum): Commit {
    return decodeCommit(this.metadata(checksum, 'commit'), `commit ${checksum}`);
  }

  dirTree(checksum: Checksum): DirTree {
    return decodeDirTree(this.metadata(checksum, 'dirtree'), `dirtree ${checksum}`);
  }

  dirMeta(checksum: Checksum): DirMeta {
    return decodeDirMeta(this.metadata(checksum, 'dirmeta'), `dirmeta ${checksum}`);
  }

  /** Detached metadata, empty when there are none. They are not signed: judge them before use. */
  detached(commit: Checksum): Vardict {
    const bytes = this.metadataIfPresent(commit, 'commitmeta');
    return bytes === undefined ? [] : decodeDetached(bytes, `commitmeta ${commit}`);
  }

  /** The caller closes it. */
  file(checksum: Checksum): StoredFile {
    for (const { path: directory, mode } of this.places) {
      const stored = openIfPresent(placePath(directory, mode, checksum, 'file'), mode, checksum);
      if (stored !== undefined) return stored;
    }
    throw missing(checksum, 'file');
  }
}

/** The objects of a repository and of its parents. */
export function objectsOf(repository: Repository): ObjectReader {
  return new ObjectReader(placesOf(repository));
}

export function placesOf(repository: Repository): ObjectPlace[] {
  const own = { path: `${repository.root}/objects`, mode: repository.mode };
  return repository.parent === undefined ? [own] : [own, ...placesOf(repository.parent)];
}

export function placePath(directory: string, mode: RepositoryMode, checksum: Checksum, type: AnyType): string {
  return `${directory}/${objectPath(checksum, type === 'file' ? formatOf(mode).extension : type)}`;
}

export function missing(checksum: Checksum, type: AnyType): OstreeError {
  return new OstreeError('OBJECT_MISSING', `${type} ${checksum}: not in the repository`, { subject: checksum });
}

function openIfPresent(path: string, mode: RepositoryMode, checksum: Checksum): StoredFile | undefined {
  return unlessAbsent(() => formatOf(mode).open(path, `file ${checksum}`));
}

function unlessAbsent<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** @throws OstreeError TOO_LARGE, OBJECT_MALFORMED for anything but a file */
export function readMetadata(path: string, what: string): Uint8Array | undefined {
  const opened = unlessAbsent(() => openObject(path, what));
  if (opened === undefined) return undefined;
  const { fd, size } = opened;
  try {
    if (size > METADATA_LIMIT) {
      throw new OstreeError('TOO_LARGE', `${what}: ${size} bytes, more than the limit of ${METADATA_LIMIT}`);
    }
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const count = fs.readSync(fd, bytes, done, size - done, done);
      if (count === 0) break; // shorter than it said: what is there is judged by the decoder
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    fs.closeSync(fd);
  }
}
