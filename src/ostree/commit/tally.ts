/** What a commit has stored: numbers for the user, and sizes for `ostree.sizes`. */
import type { Checksum } from '../objects/checksum.ts';
import type { MetadataType } from '../objects/object-type.ts';
import type { Stored } from '../storage/object-writer.ts';

/** What of an `ObjectWriter` metadata need. */
export interface MetadataWriter {
  putMetadata(type: MetadataType, bytes: Uint8Array): Stored;
}

export interface Statistics {
  readonly metadataTotal: number;
  readonly metadataWritten: number;
  readonly contentTotal: number;
  readonly contentWritten: number;
  /** Files that were known by their inode and not read. */
  readonly contentCacheHits: number;
  readonly contentBytesWritten: number;
}

export class Tally {
  /** Of files and links, when they were stored in this run: what is not here is read. */
  readonly sizes = new Map<Checksum, Stored>();
  #metadataTotal = 0;
  #metadataWritten = 0;
  #contentTotal = 0;
  #contentWritten = 0;
  #contentCacheHits = 0;
  #contentBytesWritten = 0;

  file(stored: Stored): void {
    this.sizes.set(stored.checksum, stored);
    this.#contentTotal++;
    if (!stored.isNew) return;
    this.#contentWritten++;
    this.#contentBytesWritten += stored.size;
  }

  /** Another name of a file that was counted. */
  sameFile(): void {
    this.#contentTotal++;
  }

  cacheHit(): void {
    this.#contentTotal++;
    this.#contentCacheHits++;
  }

  /** A writer of metadata that is counted. */
  counting(writer: MetadataWriter): MetadataWriter {
    return {
      putMetadata: (type, bytes) => {
        const stored = writer.putMetadata(type, bytes);
        this.metadata(stored.isNew);
        return stored;
      },
    };
  }

  metadata(isNew: boolean): void {
    this.#metadataTotal++;
    if (isNew) this.#metadataWritten++;
  }

  get statistics(): Statistics {
    return {
      metadataTotal: this.#metadataTotal,
      metadataWritten: this.#metadataWritten,
      contentTotal: this.#contentTotal,
      contentWritten: this.#contentWritten,
      contentCacheHits: this.#contentCacheHits,
      contentBytesWritten: this.#contentBytesWritten,
    };
  }
}
