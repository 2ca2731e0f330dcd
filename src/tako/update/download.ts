/** How a missing image gets into the store: resumed, hashed from its first byte, from one origin after the other. */
import { createHash, type Hash } from 'node:crypto';
import { codeOf, explain } from '../../base/error.ts';
import type { Progress } from '../../base/progress.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { StagedFile } from '../../linux/files/durable.ts';
import type { Destination } from '../destination/destination.ts';
import { assertSpace, hashChunks, partName, sizeOf } from '../destination/images.ts';
import { TakoError } from '../error.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';
import type { Origin } from './origin.ts';

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
  const size = sizeOf(entry);
  const store = destination.openStore();
  const receiver = await Receiver.open(store, entry, progress, signal);
  let worst: unknown;
  try {
    assertSpace(store, size - receiver.offset, `image ${entry.version.text}`);
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
