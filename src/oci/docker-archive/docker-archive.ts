/**
 * `docker-archive:` what `docker save` and `podman save` write, read in place. An archive has no manifests of images:
 * one is made up, of Docker's schema 2, whose layers are the uncompressed tars under their diff ids.
 */
import fs from 'node:fs';
import { explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { openUncompressed } from '../archive/oci-archive.ts';
import { OciError } from '../error.ts';
import type { ImageReader } from '../image-reader.ts';
import { MANIFEST_LIMIT } from '../json.ts';
import { malformedLayout } from '../layout/layout.ts';
import { ArchiveEntries } from './archive-entries.ts';
import { type ArchivedImage, chooseArchived, ITEMS_FILE, parseArchivedImages } from './archived-images.ts';
import { ArchivedReader } from './archived-reader.ts';

/** What a compressed archive may unpack to unless told otherwise. */
const UNPACKED_LIMIT = 64 * 2 ** 30;

/**
 * A compressed archive is unpacked into a temporary file first, which has no name.
 * @param limit of the unpacked archive and of every layer, in bytes
 * @throws OciError NOT_A_LAYOUT, LAYOUT_MALFORMED; CompressionError; CodedError NOT_A_REGULAR_FILE
 */
export async function openDockerArchive(
  path: string,
  signal: AbortSignal,
  limit = UNPACKED_LIMIT,
): Promise<DockerArchive> {
  const fd = await openUncompressed(path, signal, limit);
  try {
    const entries = new ArchiveEntries(path, fd);
    return new DockerArchive(entries, readItems(entries), limit);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function readItems(entries: ArchiveEntries): readonly ArchivedImage[] {
  const bytes = entries.readSmall(ITEMS_FILE, MANIFEST_LIMIT);
  if (bytes === undefined) {
    const message = `${printable(entries.path)}: is no archive of Docker: ${ITEMS_FILE} is missing`;
    throw new OciError('NOT_A_LAYOUT', message, { subject: entries.path });
  }
  try {
    return parseArchivedImages(bytes);
  } catch (error) {
    throw malformedLayout(entries, explain(error), error);
  }
}

export class DockerArchive {
  /** In the order of the archive. */
  readonly images: readonly ArchivedImage[];
  readonly #entries: ArchiveEntries;
  readonly #limit: number;

  constructor(entries: ArchiveEntries, images: readonly ArchivedImage[], limit: number) {
    this.#entries = entries;
    this.images = images;
    this.#limit = limit;
  }

  get path(): string {
    return this.#entries.path;
  }

  /** By name or `@INDEX`. @throws OciError IMAGE_MISSING, TAG_AMBIGUOUS, BAD_REFERENCE */
  find(selector?: string): ArchivedImage {
    return chooseArchived(this.images, selector, this.path);
  }

  /** One image of the archive, which stays open when the reader is closed. @throws as `find` */
  image(selector?: string): ImageReader {
    return new ArchivedReader(this.#entries, this.find(selector), this.#limit);
  }

  close(): void {
    this.#entries.close();
  }
}
