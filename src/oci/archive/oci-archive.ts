/** `oci-archive:` an image layout in one tar file, read in place. */
import fs from 'node:fs';
import { printable } from '../../base/text.ts';
import { decompress, detectCompression } from '../../compression/index.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { openNamelessFile, temporaryFolder } from '../../linux/files/nameless-file.ts';
import { openFilePath } from '../../linux/files/walk.ts';
import { writeAll } from '../../linux/files/write.ts';
import { scanTar, TarError } from '../../tar/index.ts';
import { type Digest, splitDigest } from '../digest.ts';
import { OciError } from '../error.ts';
import { Layout, malformedLayout, readIndex } from '../layout/layout.ts';
import { BLOBS, type BlobFile, type LayoutFiles } from '../layout/layout-files.ts';
import { readBlobFile, readWholeBlob } from '../layout/read-blob.ts';

/** More than any image has blobs; each costs memory. */
const ENTRIES_LIMIT = 200_000;
const MAGIC_BYTES = 6;
/** What a compressed archive may unpack to unless told otherwise. */
const UNPACKED_LIMIT = 64 * 2 ** 30;

/**
 * The layout in an archive. A compressed one is unpacked into a temporary file first, which has no name.
 * @param limit of the unpacked archive, in bytes
 * @throws OciError NOT_A_LAYOUT, LAYOUT_MALFORMED; CompressionError; TarError; CodedError NOT_A_REGULAR_FILE
 */
export async function openOciArchive(path: string, signal: AbortSignal, limit = UNPACKED_LIMIT): Promise<Layout> {
  const fd = await openUncompressed(path, signal, limit);
  try {
    const files = new ArchiveFiles(path, fd);
    return new Layout(files, readIndex(files));
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** A descriptor of the archive, or of what is in it when it is compressed. The caller closes it. */
export async function openUncompressed(path: string, signal: AbortSignal, limit: number): Promise<number> {
  const { fd, stats } = openFilePath(path);
  let unpacked: number | undefined;
  try {
    const start = Buffer.alloc(MAGIC_BYTES);
    const format = detectCompression(start.subarray(0, fs.readSync(fd, start, 0, MAGIC_BYTES, 0)));
    if (format === 'none') return fd;
    const target = openNamelessFile();
    unpacked = target;
    const source = readBlobFile({ fd, offset: 0, size: stats.size, release: () => undefined }, 0, path, signal);
    for await (const chunk of decompress(source, { format, limit, signal })) {
      naming(temporaryFolder(), () => writeAll(target, chunk));
    }
  } catch (error) {
    if (unpacked !== undefined) fs.closeSync(unpacked);
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return unpacked;
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

class ArchiveFiles implements LayoutFiles {
  readonly path: string;
  readonly #fd: number;
  readonly #places: ReadonlyMap<string, Place>;
  #isOpen = true;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#places = placesIn(path, fd);
  }

  readSmall(name: string, limit: number): Uint8Array | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    if (place.size > limit) {
      const message = `${printable(this.path)}: ${name} is larger than the limit of ${limit} bytes`;
      throw new OciError('TOO_LARGE', message, { subject: this.path });
    }
    return readWholeBlob(this.#file(place), this.path);
  }

  blobSize(digest: Digest): number | undefined {
    return this.#blob(digest)?.size;
  }

  openBlob(digest: Digest): BlobFile | undefined {
    const place = this.#blob(digest);
    return place === undefined ? undefined : this.#file(place);
  }

  close(): void {
    if (this.#isOpen) fs.closeSync(this.#fd);
    this.#isOpen = false;
  }

  #blob(digest: Digest): Place | undefined {
    const { algorithm, hex } = splitDigest(digest);
    return this.#places.get(`${BLOBS}/${algorithm}/${hex}`);
  }

  /** All share one descriptor, which is read by position. */
  #file({ offset, size }: Place): BlobFile {
    return { fd: this.#fd, offset, size, release: () => undefined };
  }
}

/** Regular files by name, with and without `./` in front. A name that comes twice is its last file, as when unpacked. */
function placesIn(path: string, fd: number): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  try {
    for (const entry of scanTar(fd, { entries: ENTRIES_LIMIT })) {
      const name = entry.path.replace(/^(?:\.\/)+/, '');
      if (entry.type === 'file' && entry.sparse === undefined) {
        places.set(name, { offset: entry.dataOffset, size: entry.storedSize });
      } else {
        places.delete(name);
      }
    }
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    throw malformedLayout({ path }, 'is no sound tar archive', error);
  }
  return places;
}
