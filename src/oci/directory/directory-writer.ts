/**
 * `dir:` writing. Blobs are staged in a hidden directory beside the final one, `.NAME.partial`; at the end the new
 * directory takes the place of the old one in one step. A directory that cannot be replaced, being a mount point or
 * lying where we may not write, is filled file by file instead, the manifest last, from `.partial` inside of it. What
 * a killed run staged is gone on with.
 */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { OciError } from '../error.ts';
import { createLayout, type LayoutWriter, type LayoutWriterOptions } from '../layout/layout-writer.ts';
import type { BlobSource } from '../layout/stage-blob.ts';
import type { RawManifest } from '../manifest.ts';
import { fillDirectory } from './fill-directory.ts';
import { VERSION_FILE, VERSION_TEXT } from './names.ts';
import { moveContents, putInPlace, takeBack } from './put-in-place.ts';

/** The layout that blobs grow in, and the directory that is going to be the image. */
const [STAGE, IMAGE] = ['stage', 'image'];
/** Of a directory that has to stay. */
const INSIDE = '.partial';

/**
 * Begin an image at `path`. An image of this kind that is there is replaced by `finish`, and whole until then.
 * @throws OciError NOT_A_LAYOUT for a directory that has something else in it; CodedError LOCK_TIMEOUT, NOT_A_DIRECTORY
 */
export async function createDirectoryImage(path: string, options: LayoutWriterOptions = {}): Promise<DirectoryWriter> {
  const absolute = finalPath(path);
  assertReplaceable(absolute);
  fs.mkdirSync(dirname(absolute), { recursive: true });
  const isFixed = !canBeReplaced(absolute);
  const host = openDirectory(isFixed ? absolute : dirname(absolute));
  const name = isFixed ? undefined : basename(absolute);
  const stagingName = name === undefined ? INSIDE : `.${name}.partial`;
  let staging: Directory | undefined;
  try {
    staging = host.makeDirectory(stagingName, 0o700);
    const layout = await createLayout(`${staging.path}/${STAGE}`, { ...options, startEmpty: true });
    if (name !== undefined) takeBack(staging, { directory: host, name }); // under the lock of the layout
    return new DirectoryWriter({ host, name, staging, stagingName }, layout);
  } catch (error) {
    staging?.close();
    host.close();
    throw error;
  }
}

/** Can another directory get this name? One that does not exist, always: then its parent has just been made. */
function canBeReplaced(path: string): boolean {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  const parent = dirname(path);
  if (fs.statSync(parent).dev !== stats.dev) return false;
  try {
    fs.accessSync(parent, fs.constants.W_OK);
    return true;
  } catch {
    return false; // read-only or somebody else's: the directory itself may be ours
  }
}

/** Behind a link, so that it is the directory that is replaced. */
function finalPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return resolve(path);
    throw error;
  }
}

/** Absent, empty, or an image of this kind: as skopeo judges it. @throws OciError NOT_A_LAYOUT; CodedError NOT_A_DIRECTORY */
export function assertReplaceable(path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false }) === undefined) return;
  const directory = openDirectory(path);
  try {
    if (directory.list().every((name) => name === INSIDE)) return;
    const version = readBounded(directory, VERSION_FILE, 4096)?.bytes;
    if (version !== undefined && Buffer.compare(version, Buffer.from(VERSION_TEXT)) === 0) return;
  } finally {
    directory.close();
  }
  throw new OciError('NOT_A_LAYOUT', `${printable(path)}: is neither empty nor an image in a directory`, {
    hint: 'name an empty directory, or one that does not exist',
    subject: path,
  });
}

interface Places {
  /** The directory that the image gets its name in, or the image itself when that has no name to be replaced by. */
  readonly host: Directory;
  readonly name: string | undefined;
  readonly staging: Directory;
  readonly stagingName: string;
}

/** Ends with one of `finish`, `discard` and `close`; afterwards the others do nothing. */
export class DirectoryWriter {
  readonly #places: Places;
  readonly #layout: LayoutWriter;
  /** What belongs to the image: a killed run may have staged other blobs. */
  readonly #blobs = new Map<Digest, 'blob' | 'manifest'>();
  readonly #signatures = new Map<Digest, readonly Uint8Array[]>();
  #isOpen = true;

  constructor(places: Places, layout: LayoutWriter) {
    this.#places = places;
    this.#layout = layout;
  }

  /** As of `LayoutWriter`. */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    await this.#layout.writeBlob(descriptor, source, signal);
    this.#blobs.set(descriptor.digest, 'blob');
  }

  /** True makes the blob a part of the image. */
  hasBlob(digest: Digest, size: number): boolean {
    const isThere = this.#layout.hasBlob(digest, size);
    if (isThere) this.#blobs.set(digest, 'blob');
    return isThere;
  }

  /** Of an image that the index names. */
  writeManifest(raw: RawManifest): void {
    this.#layout.writeManifest(raw);
    this.#blobs.set(raw.digest, 'manifest');
  }

  /** In place of those that it has. */
  writeSignatures(digest: Digest, signatures: readonly Uint8Array[]): void {
    this.#signatures.set(digest, signatures);
  }

  /** The image under its name, durable. @throws OciError NOT_A_LAYOUT, when something else has come there meanwhile */
  finish(raw: RawManifest): void {
    const { host, name, staging } = this.#places;
    fs.rmSync(staging.at(IMAGE), { recursive: true, force: true }); // of a killed run
    const image = staging.makeDirectory(IMAGE, 0o755);
    try {
      fillDirectory(image, { layout: this.#layout, blobs: this.#blobs, signatures: this.#signatures, raw });
      assertReplaceable(name === undefined ? host.path : host.pathOf(name));
      if (name === undefined) moveContents(image, host, INSIDE);
      else putInPlace({ directory: staging, name: IMAGE }, { directory: host, name });
    } finally {
      image.close();
    }
    this.discard();
  }

  /** Without an image, and without leaving anything. */
  discard(): void {
    if (!this.#isOpen) return;
    const { host, staging, stagingName } = this.#places;
    const path = host.at(stagingName);
    naming(staging.path, () => fs.rmSync(path, { recursive: true, force: true })); // never follows a link
    this.close();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#layout.close();
    this.#places.staging.close();
    this.#places.host.close();
  }
}
