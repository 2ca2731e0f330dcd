/** Images in a destination's store: is one whole, and how a missing one gets there. */
import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CodedError, codeOf, explain } from '../base/error.ts';
import type { Progress } from '../base/progress.ts';
import { formatBytes } from '../base/text.ts';
import type { Directory } from '../linux/directory.ts';
import { freeBytes, StagedFile } from '../linux/durable.ts';
import type { Destination } from './destination.ts';
import { TakoError } from './error.ts';
import type { ManifestEntry } from './manifest.ts';
import type { Origin } from './origin.ts';

const CHUNK_BYTES = 2 ** 20;
/** Between two looks at signals and other work while a file is hashed. */
const CHUNKS_PER_TURN = 16;

/** The partial download of an image. */
export function partName(sha256: string): string {
  return `.${sha256}.part`;
}

/** The image under its final name: whole, absent, or not what the manifest says. */
export async function inspectImage(
  store: Directory | undefined,
  entry: Pick<ManifestEntry, 'sha256' | 'size'>,
  verify: boolean,
  signal: AbortSignal,
): Promise<'whole' | 'absent' | 'damaged'> {
  const stats = store?.lstat(entry.sha256);
  if (store === undefined || stats === undefined) return 'absent';
  if (!stats.isFile() || BigInt(stats.size) !== entry.size) return 'damaged';
  if (!verify) return 'whole';
  const file = store.openRegular(entry.sha256);
  if (file === undefined) return 'absent';
  try {
    const hash = createHash('sha256');
    await hashFile(file.fd, hash, signal);
    return hash.digest('hex') === entry.sha256 ? 'whole' : 'damaged';
  } finally {
    fs.closeSync(file.fd);
  }
}

/** Feed a whole file, from its first byte, into a hash; the number of bytes comes back. */
export async function hashFile(fd: number, hash: Hash, signal: AbortSignal): Promise<number> {
  return hashChunks(chunksOf(fd), hash, signal);
}

function* chunksOf(fd: number): Generator<Uint8Array, void, undefined> {
  const room = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const length = fs.readSync(fd, room, 0, CHUNK_BYTES, position);
    if (length === 0) return;
    yield room.subarray(0, length);
    position += length;
  }
}

async function hashChunks(chunks: Iterable<Uint8Array>, hash: Hash, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  let turn = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    if (++turn % CHUNKS_PER_TURN !== 0) continue;
    signal.throwIfAborted();
    await setImmediate();
  }
  return bytes;
}

/** Bytes of an image that a download would still have to bring, as far as sizes tell. */
export function missingBytes(store: Directory | undefined, entry: ManifestEntry): number {
  const part = store?.lstat(partName(entry.sha256));
  const there = part?.isFile() && BigInt(part.size) <= entry.size ? part.size : 0;
  return sizeOf(entry) - there;
}

export interface Download {
  readonly destination: Destination;
  readonly entry: ManifestEntry;
  readonly origins: readonly Origin[];
  readonly progress: Progress;
  /** The worst of several errors is thrown when no origin is left: larger is worse. */
  readonly gravity: (error: unknown) => number;
}

/**
 * Bring one image into the store: resume what is there, hash from the first byte, flush, rename.
 * The store is untouched unless size and digest hold; what arrived of a broken transfer stays for the next run.
 * @returns bytes that came over the wire
 * @throws CodedError HTTP_GONE as soon as an origin says that the publisher has withdrawn the image, else the
 *   gravest error of all origins
 */
export async function downloadImage(download: Download, signal: AbortSignal): Promise<number> {
  const { destination, entry, origins, progress, gravity } = download;
  const store = destination.openStore();
  const receiver = await Receiver.open(store, entry, progress, signal);
  let worst: unknown;
  try {
    assertSpace(store, sizeOf(entry) - receiver.offset, `image ${entry.version.text}`);
    for (const origin of origins) {
      try {
        await receiver.receiveFrom(origin, signal);
        receiver.commit();
        return receiver.received;
      } catch (error) {
        if (signal.aborted || isLocal(error) || codeOf(error) === 'HTTP_GONE') throw error;
        if (origins.length > 1) progress({ kind: 'warning', text: `${origin.shown}: ${explain(error)}` });
        if (worst === undefined || gravity(error) > gravity(worst)) worst = error;
      }
    }
    throw worst ?? new Error('unreachable: a configuration without origins');
  } finally {
    receiver.close();
  }
}

/** Errors of this host: another origin would not help. */
function isLocal(error: unknown): boolean {
  return ['DISK_FULL', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}

function sizeOf(entry: ManifestEntry): number {
  if (entry.size <= Number.MAX_SAFE_INTEGER) return Number(entry.size);
  throw new TakoError('INVALID_SIZE', `image ${entry.version.text}: ${entry.size} bytes are more than any file holds`);
}

/** @throws CodedError DISK_FULL, before the first byte is written */
export function assertSpace(store: Directory, needed: number, what: string): void {
  const free = freeBytes(store);
  if (needed <= free) return;
  throw new CodedError(
    'DISK_FULL',
    `${what} needs ${formatBytes(needed)}, ${store.path} has ${formatBytes(free)} free`,
    {
      hint: 'free some space (KeepVersions= and KeepBytes= bound a store); nothing was written',
      subject: store.path,
    },
  );
}

/** A partial file and the hash of what is in it; survives changes of origin. */
class Receiver {
  readonly #file: StagedFile;
  readonly #entry: ManifestEntry;
  readonly #progress: Progress;
  readonly #task: string;
  #hash: Hash;
  /** Bytes in the file that came from another run or another origin. */
  #foreign: number;
  #received = 0;
  #open = true;

  private constructor(file: StagedFile, entry: ManifestEntry, progress: Progress, hash: Hash, there: number) {
    this.#file = file;
    this.#entry = entry;
    this.#progress = progress;
    this.#hash = hash;
    this.#foreign = there;
    this.#task = entry.sha256;
  }

  static async open(
    store: Directory,
    entry: ManifestEntry,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Receiver> {
    const file = StagedFile.resume(store, partName(entry.sha256));
    try {
      if (BigInt(file.size) > entry.size) file.truncate(); // cannot be the beginning of this image
      const hash = createHash('sha256');
      const there = await hashChunks(file.contents(), hash, signal);
      const label = `image ${entry.version.text}`;
      progress({ kind: 'start', task: entry.sha256, label, total: sizeOf(entry), done: there });
      return new Receiver(file, entry, progress, hash, there);
    } catch (error) {
      file.keep();
      throw error;
    }
  }

  get offset(): number {
    return this.#file.size;
  }

  get received(): number {
    return this.#received;
  }

  async receiveFrom(origin: Origin, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#fill(origin, signal);
      const found = this.#hash.digest('hex');
      if (found === this.#entry.sha256) return;
      const foreign = this.#foreign;
      this.#restart();
      // Only what was there before can be at fault: this origin gets a chance of its own.
      if (foreign > 0) {
        this.#progress({ kind: 'note', text: 'the resumed part did not fit, fetching the image from its first byte' });
        continue;
      }
      throw new TakoError(
        'INVALID_DIGEST',
        `image ${this.#entry.version.text} from ${origin.shown}: expected sha256 ${this.#entry.sha256}, found ${found}`,
      );
    }
  }

  commit(): void {
    this.#open = false;
    this.#file.commit(this.#entry.sha256, 0o444);
    this.#progress({ kind: 'end', task: this.#task, ok: true });
  }

  /** What arrived stays for the next run; an empty file would only be litter. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#file.size === 0) this.#file.discard();
    else this.#file.keep();
    this.#progress({ kind: 'end', task: this.#task, ok: false });
  }

  async #fill(origin: Origin, signal: AbortSignal): Promise<void> {
    const size = sizeOf(this.#entry);
    if (this.#file.size === size) return; // also an empty image
    try {
      await origin.readImage(this.#entry.sha256, this.#sink(size), signal);
    } catch (error) {
      this.#foreign = this.#file.size;
      if (codeOf(error) !== 'HTTP_LENGTH') throw error;
      this.#restart();
      const text = `image ${this.#entry.version.text} from ${origin.shown}: not of the ${size} bytes that the manifest says`;
      throw new TakoError('INVALID_SIZE', text, { cause: error });
    }
    if (this.#file.size !== size) throw new Error('unreachable: an origin ended early without an error');
  }

  #sink(size: number): Parameters<Origin['readImage']>[1] {
    return {
      size,
      offset: this.#file.size,
      onChunk: (chunk) => {
        this.#hash.update(chunk);
        this.#file.write(chunk);
        this.#received += chunk.length;
        this.#progress({ kind: 'advance', task: this.#task, done: this.#file.size });
      },
      onRestart: () => this.#restart(),
    };
  }

  #restart(): void {
    this.#file.truncate();
    this.#hash = createHash('sha256');
    this.#foreign = 0;
  }
}
