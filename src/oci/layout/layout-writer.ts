/**
 * Changing an image layout: one transaction from `createLayout` to `flush`, under a lock.
 *
 * Blobs grow in `.partial/`, are verified, flushed and then get their names; `index.json` comes last. A run that is
 * killed leaves the layout as it was, and parts of blobs that the next run goes on with.
 */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { type Lock, lockFile } from '../../linux/processes/lock.ts';
import type { Descriptor } from '../descriptor.ts';
import { assertDigest, type Digest, splitDigest } from '../digest.ts';
import { OciError } from '../error.ts';
import { encodeJson, MANIFEST_LIMIT } from '../json.ts';
import type { RawManifest } from '../manifest.ts';
import { Layout, readIndex } from './layout.ts';
import { BLOBS, type BlobFile, DirectoryFiles, INDEX_FILE, VERSION_FILE } from './layout-files.ts';
import { LayoutIndex } from './layout-index.ts';
import { reachableBlobs } from './prune-blobs.ts';
import { BLOB_MODE, type BlobSource, bringBlob, partialName, publishSmall } from './stage-blob.ts';

export interface LayoutWriterOptions {
  /** Default: half a minute. */
  readonly lockTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Somebody else is writing, and we wait. */
  readonly onWait?: (() => void) | undefined;
  /** As if `index.json` named nothing; blobs count. */
  readonly startEmpty?: boolean | undefined;
}

export const PARTIAL = '.partial';
const LOCK = 'lock';
/** What we leave in `.partial` when we are killed. */
const LEFTOVER = /^(?:sha(?:256|512)-[0-9a-f]+(?:\.new)?|index\.json|oci-layout)$/;
const LOCK_TIMEOUT_MS = 30_000;
const OURS: readonly string[] = [PARTIAL, BLOBS, INDEX_FILE, VERSION_FILE];

/**
 * Open a layout for changing, or begin one in an empty directory or one that does not exist. Nothing that others see
 * is written before `flush`, except blobs that no manifest names yet.
 * @throws OciError NOT_A_LAYOUT, LAYOUT_MALFORMED; CodedError LOCK_TIMEOUT, NOT_A_DIRECTORY
 */
export async function createLayout(path: string, options: LayoutWriterOptions = {}): Promise<LayoutWriter> {
  makeDurable(resolve(path));
  return await lockLayout(openDirectory(path), options);
}

/** What `createLayout` would find out, before anything is made. @throws OciError NOT_A_LAYOUT; CodedError NOT_A_DIRECTORY */
export function assertLayoutPlace(path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false }) === undefined) return;
  const root = openDirectory(path);
  try {
    assertUsable(root, false);
  } finally {
    root.close();
  }
}

/** A directory and those above it that are missing. */
function makeDurable(path: string): void {
  const first = fs.mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let above = dirname(path); above.length >= dirname(first).length; above = dirname(above)) {
    const directory = openDirectory(above);
    directory.sync();
    directory.close();
    if (above === '/') return;
  }
}

/** The same for one that must exist. */
export async function changeLayout(path: string, options: LayoutWriterOptions = {}): Promise<LayoutWriter> {
  const root = openDirectory(path);
  try {
    readIndex(new DirectoryFiles(root));
  } catch (error) {
    root.close();
    throw error;
  }
  return await lockLayout(root, options);
}

async function lockLayout(root: Directory, options: LayoutWriterOptions): Promise<LayoutWriter> {
  let [partial, lock]: [Directory | undefined, Lock | undefined] = [undefined, undefined];
  try {
    assertUsable(root, options.startEmpty === true);
    partial = root.makeDirectory(PARTIAL, 0o700);
    lock = await lockFile(partial, LOCK, {
      timeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
      signal: options.signal ?? new AbortController().signal,
      onWait: options.onWait,
    });
    const files = new DirectoryFiles(root);
    const isNew = options.startEmpty === true || root.lstat(VERSION_FILE) === undefined;
    return new LayoutWriter(files, isNew ? LayoutIndex.empty() : readIndex(files), { partial, lock });
  } catch (error) {
    lock?.release();
    partial?.close();
    root.close();
    throw error;
  }
}

/**
 * A killed run that began a layout has left some of our names, and `.partial` among them; one that was removing what it
 * had staged may have left any of them.
 */
function assertUsable(root: Directory, isStaging: boolean): void {
  const names = root.list();
  if (names.length === 0 || names.includes(VERSION_FILE)) return;
  if ((isStaging || names.includes(PARTIAL)) && names.every((name) => OURS.includes(name))) return;
  throw new OciError('NOT_A_LAYOUT', `${printable(root.path)}: is neither empty nor an OCI image layout`, {
    hint: 'name an empty directory, or one that does not exist',
    subject: root.path,
  });
}

export class LayoutWriter extends Layout {
  readonly #files: DirectoryFiles;
  readonly #partial: Directory;
  readonly #lock: Lock;
  readonly #running = new Map<Digest, Promise<void>>();

  constructor(files: DirectoryFiles, entries: LayoutIndex, held: { readonly partial: Directory; readonly lock: Lock }) {
    super(files, entries);
    this.#files = files;
    this.#partial = held.partial;
    this.#lock = held.lock;
  }

  /**
   * Bring a blob: nothing is asked of the source when it is there, and only the rest when an earlier run got some of
   * it. Several blobs may be on their way at once; one that is on its way already is waited for.
   * @throws OciError INVALID_DIGEST, INVALID_SIZE; CodedError DISK_FULL; what the source throws
   */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    const { digest, size } = descriptor;
    for (let other = this.#running.get(digest); other !== undefined; other = this.#running.get(digest)) {
      await other.catch(() => undefined); // its own caller hears of it; then it is our turn
    }
    signal.throwIfAborted();
    if (this.hasBlob(digest, size)) return;
    const work = bringBlob(descriptor, source, { partial: this.#partial, target: this.#target(digest), signal });
    this.#running.set(digest, work);
    try {
      await work;
    } finally {
      this.#running.delete(digest);
    }
  }

  /** A manifest, of an image or of a member of an index. @throws OciError INVALID_DIGEST, TOO_LARGE */
  writeManifest({ bytes, digest }: RawManifest): void {
    if (bytes.length > MANIFEST_LIMIT) {
      throw new OciError('TOO_LARGE', `manifest ${digest}: larger than the limit of ${MANIFEST_LIMIT} bytes`);
    }
    assertDigest(`manifest ${digest}`, bytes, digest);
    if (!this.hasBlob(digest, bytes.length)) publishSmall(bytes, digest, this.#partial, this.#target(digest));
  }

  /**
   * Name an image; another one of that name loses it. Without a tag it becomes the only image of the layout.
   * @throws OciError BAD_REFERENCE
   */
  setTag(descriptor: Descriptor, tag: string | undefined): void {
    this.entries.set(descriptor, tag);
  }

  /**
   * List a manifest without a name: one that says something about an image, by its `subject`. Tools of the
   * specification look for these in the index, and nowhere else.
   */
  addReferrer(descriptor: Descriptor): void {
    this.entries.add(descriptor);
  }

  /** Blobs stay. @throws OciError IMAGE_MISSING */
  removeTag(tag: string): void {
    if (this.entries.remove(tag)) return;
    this.find(tag); // throws
  }

  /**
   * Remove the blobs that no image of the layout needs, after a `flush`: first the index is on the disk that does not
   * name them. Gives their bytes.
   * @throws OciError MANIFEST_UNSUPPORTED ... and removes nothing where a manifest cannot be understood
   */
  removeUnreferenced(): number {
    this.flush();
    const needed = reachableBlobs(this);
    let freed = 0;
    for (const digest of this.#files.digests()) {
      if (needed.has(digest) || this.#running.has(digest)) continue;
      freed += this.#files.blobSize(digest) ?? 0;
      const { directory, name } = this.#target(digest);
      directory.unlink(name);
    }
    return freed;
  }

  /** What was written becomes visible, and durable. Leftovers of killed runs go. */
  flush(): void {
    this.#files.syncBlobs();
    this.#files.makeAlgorithm('sha256'); // the specification wants it, even where there are no blobs
    this.#replace(INDEX_FILE, this.entries.encode());
    if (this.#files.root.lstat(VERSION_FILE) === undefined) {
      this.#replace(VERSION_FILE, encodeJson({ imageLayoutVersion: '1.0.0' }));
    }
    const kept = new Set([...this.#running.keys()].map(partialName));
    for (const name of this.#partial.list()) if (LEFTOVER.test(name) && !kept.has(name)) this.#partial.unlink(name);
  }

  /** For packing. */
  openBlob(digest: Digest): BlobFile | undefined {
    return this.#files.openBlob(digest);
  }

  readSmall(name: typeof INDEX_FILE | typeof VERSION_FILE): Uint8Array {
    return this.#files.readSmall(name, MANIFEST_LIMIT) ?? new Uint8Array();
  }

  /** Without `flush` the index stays as it was. */
  override close(): void {
    super.close();
    this.#partial.close();
    this.#lock.release();
  }

  #target(digest: Digest): { readonly directory: Directory; readonly name: string } {
    const { algorithm, hex } = splitDigest(digest);
    return { directory: this.#files.makeAlgorithm(algorithm), name: hex };
  }

  #replace(name: typeof INDEX_FILE | typeof VERSION_FILE, bytes: Uint8Array): void {
    const before = this.#files.readSmall(name, MANIFEST_LIMIT);
    if (before !== undefined && Buffer.compare(before, bytes) === 0) return;
    if (bytes.length > MANIFEST_LIMIT)
      throw new OciError('TOO_LARGE', `${printable(this.path)}: ${name} would be too large`);
    const root = this.#files.root;
    replaceFile({ directory: root, name }, { directory: this.#partial, name }, bytes, BLOB_MODE);
  }
}
