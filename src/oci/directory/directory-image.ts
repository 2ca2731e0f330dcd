/** `dir:` reading. A link, or anything else that is no regular file, is refused and not followed. */
import { closeSync } from 'node:fs';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, DigestCheck, digestOf, splitDigest } from '../digest.ts';
import { OciError } from '../error.ts';
import type { ImageReader } from '../image-reader.ts';
import { MANIFEST_LIMIT } from '../json.ts';
import { readBlobFile } from '../layout/read-blob.ts';
import { type RawManifest, rawManifest } from '../manifest.ts';
import { blobFile, MANIFEST_FILE, memberFile, signatureFile } from './names.ts';

/** More than anybody signs an image. */
const SIGNATURES_LIMIT = 128;
const SIGNATURE_LIMIT = 2 ** 20;

/** @throws OciError NOT_A_LAYOUT; CodedError NOT_A_DIRECTORY; SystemError ENOENT */
export function openDirectoryImage(path: string): DirectoryImage {
  const directory = openDirectory(path);
  if (directory.lstat(MANIFEST_FILE) !== undefined) return new DirectoryImage(directory);
  directory.close();
  const message = `${printable(path)}: holds no image: ${MANIFEST_FILE} is missing`;
  throw new OciError('NOT_A_LAYOUT', message, { subject: path });
}

export class DirectoryImage implements ImageReader {
  readonly #directory: Directory;

  /** Takes over the directory. */
  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * Of a member of the index when a digest is given, then verified.
   * @throws OciError IMAGE_MISSING, INVALID_DIGEST, TOO_LARGE, MANIFEST_MALFORMED
   */
  async readManifest(digest: Digest | undefined): Promise<RawManifest> {
    if (digest === undefined) return rawManifest(this.#read(MANIFEST_FILE));
    const own = this.#ownAs(digest);
    return rawManifest(own ?? this.#read(memberFile(digest)), undefined, digest);
  }

  async *readBlob({ digest }: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const name = blobFile(digest);
    const file = this.#directory.openRegular(name);
    if (file === undefined) {
      const message = `${printable(this.#directory.path)}: blob ${digest} is missing`;
      throw new OciError('BLOB_MISSING', message, { subject: digest });
    }
    const release = () => closeSync(file.fd);
    const blob = { fd: file.fd, offset: 0, size: file.stats.size, release };
    yield* readBlobFile(blob, from, this.#directory.pathOf(name), signal);
  }

  /** Is there a file of a blob, with the right bytes in it? All of them are read. */
  async hasBlob(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    const { digest, size } = descriptor;
    const stats = this.#directory.lstat(blobFile(digest));
    if (stats?.isFile() !== true || stats.size !== size) return false;
    const check = new DigestCheck(`blob ${digest}`, digest, size);
    try {
      for await (const chunk of this.readBlob(descriptor, 0, signal)) check.update(chunk);
      check.finish();
      return true;
    } catch (error) {
      if (error instanceof OciError) return false; // damaged, or gone: it will be brought again
      throw error;
    }
  }

  /** Of containers' simple signing; newer tools keep others under the same names, and mark them by a NUL. */
  simpleSignatures(digest: Digest): readonly Uint8Array[] {
    const member = this.#ownAs(digest) === undefined ? digest : undefined;
    const signatures: Uint8Array[] = [];
    for (let number = 1; number <= SIGNATURES_LIMIT; number++) {
      const file = readBounded(this.#directory, signatureFile(member, number), SIGNATURE_LIMIT);
      if (file === undefined) break;
      if (file.bytes[0] !== 0) signatures.push(file.bytes);
    }
    return signatures;
  }

  /** A second time does nothing. */
  close(): void {
    this.#directory.close();
  }

  /** `manifest.json`, if it has this digest. */
  #ownAs(digest: Digest): Uint8Array | undefined {
    const bytes = this.#read(MANIFEST_FILE);
    return digestOf(bytes, splitDigest(digest).algorithm) === digest ? bytes : undefined;
  }

  #read(name: string): Uint8Array {
    const file = readBounded(this.#directory, name, MANIFEST_LIMIT);
    if (file !== undefined) return file.bytes;
    const message = `${printable(this.#directory.path)}: ${name} is missing`;
    throw new OciError('IMAGE_MISSING', message, { subject: this.#directory.path });
  }
}
