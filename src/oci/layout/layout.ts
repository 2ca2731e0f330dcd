/**
 * An image layout (OCI image specification, image-layout.md): `oci-layout`, `index.json`, `blobs/ALGORITHM/HEX`. This
 * side only reads: no lock, nothing made, so a layout on a read-only medium will do.
 */
import { explain } from '../../base/error.ts';
import { printable, quote } from '../../base/text.ts';
import type { Descriptor } from '../descriptor.ts';
import { assertDigest, type Digest, parseDigest } from '../digest.ts';
import { OciError } from '../error.ts';
import { readText, required } from '../fields.ts';
import type { ImageReader } from '../image-reader.ts';
import { MANIFEST_LIMIT, parseJson } from '../json.ts';
import { type ImageIndex, parseManifest, type RawManifest, rawManifest } from '../manifest.ts';
import { DirectoryFiles, INDEX_FILE, type LayoutFiles, VERSION_FILE } from './layout-files.ts';
import { LayoutIndex } from './layout-index.ts';
import { readBlobFile, readWholeBlob } from './read-blob.ts';

/** @throws OciError NOT_A_LAYOUT, LAYOUT_MALFORMED; CodedError NOT_A_DIRECTORY, TOO_LARGE; SystemError ENOENT */
export function openLayout(directory: string): Layout {
  const files = DirectoryFiles.open(directory);
  try {
    return new Layout(files, readIndex(files));
  } catch (error) {
    files.close();
    throw error;
  }
}

export class Layout {
  protected readonly files: LayoutFiles;
  protected readonly entries: LayoutIndex;

  /** Takes over the files. */
  constructor(files: LayoutFiles, entries: LayoutIndex) {
    this.files = files;
    this.entries = entries;
  }

  get path(): string {
    return this.files.path;
  }

  /** `index.json`. */
  index(): ImageIndex {
    return this.entries.value;
  }

  /** A file beside the index, of whoever made the layout; undefined when there is none. @throws CodedError TOO_LARGE */
  readBeside(name: string, limit: number): Uint8Array | undefined {
    return this.files.readSmall(name, limit);
  }

  /** In the order of the index. */
  tags(): readonly string[] {
    return this.entries.tags;
  }

  /**
   * The image of a tag; `@ALGORITHM:HEX` and `@NUMBER` (from 0, the place in the index) select too. Without a selector
   * the only image of the layout.
   * @throws OciError IMAGE_MISSING, TAG_AMBIGUOUS, INVALID_DIGEST
   */
  find(selector?: string): Descriptor {
    if (selector === undefined) return this.#only(this.entries.images, 'several images', this.#hint());
    if (!selector.startsWith('@')) return this.#tagged(selector);
    if (!/^@[0-9]+$/.test(selector)) return this.#byDigest(parseDigest(selector.slice(1)));
    const found = this.index().manifests[Number(selector.slice(1))];
    if (found === undefined) throw this.#missing(`no image number ${selector.slice(1, 20)}`);
    return found;
  }

  /**
   * A manifest, its digest (and size, if given) verified.
   * @param mediaType of the descriptor that led here
   * @throws OciError BLOB_MISSING, INVALID_DIGEST, INVALID_SIZE, TOO_LARGE, MANIFEST_MALFORMED
   */
  readManifest(digest: Digest, size?: number, mediaType?: string): RawManifest {
    const file = this.#open(digest);
    try {
      if (file.size > MANIFEST_LIMIT) {
        const message = `manifest ${digest}: larger than the limit of ${MANIFEST_LIMIT} bytes`;
        throw new OciError('TOO_LARGE', message, { subject: digest });
      }
      const bytes = readWholeBlob(file, this.#nameOf(digest));
      assertDigest(`manifest ${digest}`, bytes, digest, size);
      return rawManifest(bytes, mediaType, digest);
    } finally {
      file.release();
    }
  }

  /** From byte `from` on, not verified. A chunk is valid until the next one is asked for. @throws OciError BLOB_MISSING */
  async *readBlob(digest: Digest, from = 0, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* readBlobFile(this.#open(digest), from, this.#nameOf(digest), signal);
  }

  /** Is there a blob of this name and size? Its bytes are not looked at. */
  hasBlob(digest: Digest, size: number): boolean {
    return this.files.blobSize(digest) === size;
  }

  /** One image of the layout, which stays open when the reader is closed. @throws as `find` */
  image(selector?: string): ImageReader {
    const { digest: own, size, mediaType } = this.find(selector);
    return {
      readManifest: async (digest) =>
        digest === undefined || digest === own ? this.readManifest(own, size, mediaType) : this.readManifest(digest),
      readBlob: (descriptor, from, signal) => this.readBlob(descriptor.digest, from, signal),
      close: () => undefined,
    };
  }

  /** A second time does nothing. */
  close(): void {
    this.files.close();
  }

  #tagged(tag: string): Descriptor {
    const found = this.entries.tagged(tag);
    if (found.length === 0) throw this.#missing(`no image ${quote(tag)}`, this.#hint());
    return this.#only(found, `several images ${quote(tag)}`, 'name one by its digest, as @sha256:...');
  }

  /** Also a member of an index, whose manifest is only among the blobs. */
  #byDigest(digest: Digest): Descriptor {
    const listed = this.index().manifests.find((entry) => entry.digest === digest);
    if (listed !== undefined) return listed;
    const size = this.files.blobSize(digest);
    if (size === undefined) throw this.#missing(`no image ${digest}`);
    const raw = this.readManifest(digest);
    parseManifest(raw); // a layer or a config is no image
    return { mediaType: raw.mediaType, digest, size };
  }

  #only(found: readonly Descriptor[], several: string, hint: string): Descriptor {
    const [first] = found;
    if (first === undefined) throw this.#missing('no image');
    if (found.every(({ digest }) => digest === first.digest)) return first;
    throw new OciError('TAG_AMBIGUOUS', `${printable(this.path)}: ${several}`, { hint, subject: this.path });
  }

  #hint(): string {
    const tags = this.tags();
    const shown = tags
      .slice(0, 10)
      .map((tag) => quote(tag))
      .join(', ');
    return tags.length === 0
      ? 'its images have no tags: name one as @0, @1 ...'
      : `there are ${shown}${tags.length > 10 ? ' ...' : ''}`;
  }

  #missing(what: string, hint?: string): OciError {
    return new OciError('IMAGE_MISSING', `${printable(this.path)}: ${what}`, { hint, subject: this.path });
  }

  #open(digest: Digest) {
    const file = this.files.openBlob(digest);
    if (file !== undefined) return file;
    throw new OciError('BLOB_MISSING', `${printable(this.path)}: blob ${digest} is missing`, { subject: digest });
  }

  #nameOf(digest: Digest): string {
    return `${this.path}: blob ${digest}`;
  }
}

/** The index of what must be a layout. */
export function readIndex(files: LayoutFiles): LayoutIndex {
  assertVersion(files);
  const bytes = files.readSmall(INDEX_FILE, MANIFEST_LIMIT);
  if (bytes === undefined) throw malformedLayout(files, 'index.json is missing');
  try {
    return LayoutIndex.parse(bytes);
  } catch (error) {
    throw malformedLayout(files, explain(error), error);
  }
}

const VERSION_LIMIT = 4096;

function assertVersion(files: LayoutFiles): void {
  const bytes = files.readSmall(VERSION_FILE, VERSION_LIMIT);
  if (bytes === undefined) {
    const message = `${printable(files.path)}: is no OCI image layout: ${VERSION_FILE} is missing`;
    throw new OciError('NOT_A_LAYOUT', message, { subject: files.path });
  }
  let version: string;
  try {
    version = required(parseJson(bytes, VERSION_FILE), 'imageLayoutVersion', VERSION_FILE, readText);
  } catch (error) {
    throw malformedLayout(files, explain(error), error);
  }
  if (!/^1\.[0-9]+\.[0-9]+$/.test(version))
    throw malformedLayout(files, `layout version ${quote(version)} is not supported`);
}

export function malformedLayout({ path }: { readonly path: string }, why: string, cause?: unknown): OciError {
  return new OciError('LAYOUT_MALFORMED', `${printable(path)}: ${why}`, { cause, subject: path });
}
