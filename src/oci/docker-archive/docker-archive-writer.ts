/**
 * Writing `docker-archive:`. Blobs are staged in a hidden directory beside the file, and packed at the end: equal images
 * give equal archives, and the file appears when it is whole.
 */
import fs from 'node:fs';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { StagedArchive } from '../archive/staged-archive.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { OciError } from '../error.ts';
import type { LayoutWriterOptions } from '../layout/layout-writer.ts';
import type { BlobSource } from '../layout/stage-blob.ts';
import type { RawManifest } from '../manifest.ts';
import type { NamedReference } from '../reference.ts';
import { PackedImages } from './pack-images.ts';

/**
 * Begin an archive at `path`. What a killed run staged for the same path is gone on with.
 * @throws OciError ARCHIVE_EXISTS; CodedError NOT_A_REGULAR_FILE, LOCK_TIMEOUT, NOT_A_DIRECTORY; SystemError ENOENT when
 *   the directory does not exist
 */
export async function writeDockerArchive(
  path: string,
  options: LayoutWriterOptions = {},
): Promise<DockerArchiveWriter> {
  assertNewArchive(path);
  return new DockerArchiveWriter(await StagedArchive.begin(path, options));
}

/**
 * Others would have to be unpacked to add an image, which no tool does; an empty file is as good as none.
 * @throws OciError ARCHIVE_EXISTS; CodedError NOT_A_REGULAR_FILE
 */
export function assertNewArchive(path: string): void {
  const stats = naming(path, () => fs.statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined || (stats.isFile() && stats.size === 0)) return;
  if (!stats.isFile()) {
    throw new CodedError('NOT_A_REGULAR_FILE', `${printable(path)}: is no regular file`, { subject: path });
  }
  throw new OciError('ARCHIVE_EXISTS', `${printable(path)}: exists, and an archive of Docker is never changed`, {
    hint: 'name another file, or remove this one',
    subject: path,
  });
}

/** Ends with one of `finish`, `discard` and `close`; afterwards the others do nothing. */
export class DockerArchiveWriter {
  readonly #staged: StagedArchive;
  readonly #images: PackedImages;

  constructor(staged: StagedArchive) {
    this.#staged = staged;
    this.#images = new PackedImages(staged.layout);
  }

  /** As of `LayoutWriter`. */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    await this.#staged.layout.writeBlob(descriptor, source, signal);
  }

  hasBlob(digest: Digest, size: number): boolean {
    return this.#staged.layout.hasBlob(digest, size);
  }

  /**
   * One of the images, its blobs being there. Its layers must be tars without compression.
   * @throws OciError BLOB_MISSING, LAYER_UNSUPPORTED, MANIFEST_MALFORMED, MANIFEST_UNSUPPORTED
   */
  addImage(raw: RawManifest, repoTags: readonly NamedReference[]): void {
    this.#images.add(raw, repoTags);
  }

  /** The archive under its name, durable. @throws OciError ARCHIVE_EXISTS; CodedError DISK_FULL */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#staged.commit(async (write) => {
      await this.#images.pack(write, signal);
      assertNewArchive(this.#staged.path); // another run may have been faster
    });
  }

  /** Without an archive, and without leaving anything. */
  discard(): void {
    this.#staged.discard();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    this.#staged.close();
  }
}
