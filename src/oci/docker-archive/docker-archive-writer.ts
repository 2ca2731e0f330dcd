/**
 * Writing `docker-archive:`. Blobs are staged in a hidden directory beside the file, and packed at the end: equal images
 * give equal archives, and the file appears when it is whole.
 */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { StagedFile } from '../../linux/files/staged-file.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { createLayout, type LayoutWriter, type LayoutWriterOptions } from '../layout/layout-writer.ts';
import type { BlobSource } from '../layout/stage-blob.ts';
import type { RawManifest } from '../manifest.ts';
import type { NamedReference } from '../reference.ts';
import { PackedImages } from './pack-images.ts';

const FILE_MODE = 0o644;

/**
 * Begin an archive at `path`. What a killed run staged for the same path is gone on with.
 * @throws CodedError ARCHIVE_EXISTS, NOT_A_REGULAR_FILE, LOCK_TIMEOUT, NOT_A_DIRECTORY; SystemError ENOENT when the
 *   directory does not exist
 */
export async function writeDockerArchive(
  path: string,
  options: LayoutWriterOptions = {},
): Promise<DockerArchiveWriter> {
  const absolute = resolve(path);
  assertNewArchive(absolute);
  const directory = openDirectory(dirname(absolute));
  const name = basename(absolute);
  try {
    const staging = `${dirname(absolute)}/${stagingName(name)}`;
    return new DockerArchiveWriter({ directory, name }, await createLayout(staging, { ...options, startEmpty: true }));
  } catch (error) {
    directory.close();
    throw error;
  }
}

/**
 * Others would have to be unpacked to add an image, which no tool does; an empty file is as good as none.
 * @throws CodedError ARCHIVE_EXISTS, NOT_A_REGULAR_FILE
 */
export function assertNewArchive(path: string): void {
  const stats = naming(path, () => fs.statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined || (stats.isFile() && stats.size === 0)) return;
  if (!stats.isFile()) {
    throw new CodedError('NOT_A_REGULAR_FILE', `${printable(path)}: is no regular file`, { subject: path });
  }
  throw new CodedError('ARCHIVE_EXISTS', `${printable(path)}: exists, and an archive of Docker is never changed`, {
    hint: 'name another file, or remove this one',
    subject: path,
  });
}

/** Hidden, and found again by the next run. */
function stagingName(name: string): string {
  return `.${name}.partial`;
}

/** Ends with one of `finish`, `discard` and `close`; afterwards the others do nothing. */
export class DockerArchiveWriter {
  readonly #directory: Directory;
  readonly #name: string;
  readonly #layout: LayoutWriter;
  readonly #images: PackedImages;
  #isOpen = true;

  constructor(target: { readonly directory: Directory; readonly name: string }, layout: LayoutWriter) {
    this.#directory = target.directory;
    this.#name = target.name;
    this.#layout = layout;
    this.#images = new PackedImages(layout);
  }

  /** As of `LayoutWriter`. */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    await this.#layout.writeBlob(descriptor, source, signal);
  }

  hasBlob(digest: Digest, size: number): boolean {
    return this.#layout.hasBlob(digest, size);
  }

  /**
   * One of the images, its blobs being there. Its layers must be tars without compression.
   * @throws OciError BLOB_MISSING, LAYER_UNSUPPORTED, MANIFEST_MALFORMED, MANIFEST_UNSUPPORTED
   */
  addImage(raw: RawManifest, repoTags: readonly NamedReference[]): void {
    this.#images.add(raw, repoTags);
  }

  /** The archive under its name, durable. @throws CodedError ARCHIVE_EXISTS, DISK_FULL */
  async finish(signal: AbortSignal): Promise<void> {
    const staged = StagedFile.fresh(this.#directory, `${stagingName(this.#name)}.tar`);
    try {
      await this.#images.pack((chunk) => staged.write(chunk), signal);
      assertNewArchive(this.#directory.pathOf(this.#name));
      staged.commit(this.#name, FILE_MODE);
    } catch (error) {
      staged.discard();
      throw error;
    }
    this.discard();
  }

  /** Without an archive, and without leaving anything. */
  discard(): void {
    if (!this.#isOpen) return;
    const path = this.#directory.at(stagingName(this.#name));
    naming(this.#layout.path, () => fs.rmSync(path, { recursive: true, force: true })); // never follows a link
    this.close();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#layout.close();
    this.#directory.close();
  }
}
