/** Where the files of a layout lie: in a directory, or in an archive of one. */

import { closeSync } from 'node:fs';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { type Digest, isDigest, splitDigest } from '../digest.ts';

export const INDEX_FILE = 'index.json';
export const VERSION_FILE = 'oci-layout';
export const BLOBS = 'blobs';
const ALGORITHMS = ['sha256', 'sha512'] as const;

/** A part of an open file. */
export interface BlobFile {
  readonly fd: number;
  /** Where it begins. */
  readonly offset: number;
  readonly size: number;
  release(): void;
}

export interface LayoutFiles {
  /** For messages. */
  readonly path: string;
  /** Undefined when there is nothing of that name. @throws CodedError TOO_LARGE */
  readSmall(name: string, limit: number): Uint8Array | undefined;
  blobSize(digest: Digest): number | undefined;
  openBlob(digest: Digest): BlobFile | undefined;
  close(): void;
}

/** A link, or anything else that is no regular file, is refused and not followed. */
export class DirectoryFiles implements LayoutFiles {
  readonly root: Directory;
  #blobs: Directory | undefined;
  readonly #algorithms = new Map<string, Directory>();

  /** Takes over the directory. */
  constructor(root: Directory) {
    this.root = root;
  }

  static open(path: string): DirectoryFiles {
    return new DirectoryFiles(openDirectory(path));
  }

  get path(): string {
    return this.root.path;
  }

  readSmall(name: string, limit: number): Uint8Array | undefined {
    return readBounded(this.root, name, limit)?.bytes;
  }

  blobSize(digest: Digest): number | undefined {
    const { algorithm, hex } = splitDigest(digest);
    const stats = this.#algorithm(algorithm)?.lstat(hex);
    return stats?.isFile() === true ? stats.size : undefined;
  }

  openBlob(digest: Digest): BlobFile | undefined {
    const { algorithm, hex } = splitDigest(digest);
    const file = this.#algorithm(algorithm)?.openRegular(hex);
    if (file === undefined) return undefined;
    return { fd: file.fd, offset: 0, size: file.stats.size, release: () => closeSync(file.fd) };
  }

  /** `blobs/ALGORITHM`, made when absent. */
  makeAlgorithm(algorithm: string): Directory {
    this.#blobs ??= this.root.makeDirectory(BLOBS, 0o755);
    const directory = this.#algorithms.get(algorithm) ?? this.#blobs.makeDirectory(algorithm, 0o755);
    this.#algorithms.set(algorithm, directory);
    return directory;
  }

  /** Blobs of the algorithms that are known here; other files are not ours to judge. */
  digests(): readonly Digest[] {
    return ALGORITHMS.flatMap((algorithm) => {
      const names = this.#algorithm(algorithm)?.list() ?? [];
      return names.map((name) => `${algorithm}:${name}`).filter((text) => isDigest(text));
    });
  }

  /** fsync of every directory of blobs that was looked at. */
  syncBlobs(): void {
    for (const directory of this.#algorithms.values()) directory.sync();
    this.#blobs?.sync();
  }

  close(): void {
    for (const directory of this.#algorithms.values()) directory.close();
    this.#blobs?.close();
    this.root.close();
  }

  #algorithm(algorithm: string): Directory | undefined {
    const known = this.#algorithms.get(algorithm);
    if (known !== undefined) return known;
    this.#blobs ??= this.root.openDirectory(BLOBS);
    const opened = this.#blobs?.openDirectory(algorithm);
    if (opened !== undefined) this.#algorithms.set(algorithm, opened);
    return opened;
  }
}
