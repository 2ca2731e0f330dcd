/** Entries of a local archive, read by header and never by data. */
import { fstatSync, readSync } from 'node:fs';
import { padded } from './block.ts';
import type { TarEntry, TarLimits } from './entry.ts';
import { TarError, truncated } from './error.ts';
import { parseTar } from './parser.ts';

/** A window of many headers where files are small, of few where they are large and lie between. */
const SMALLEST = 2 ** 12;
const LARGEST = 2 ** 18;

/**
 * Entries of an uncompressed archive in a file, without their data. Synchronous, from the start of the file whatever
 * its offset, which stays. The data of an entry that is handed out lie in the file entirely.
 *
 * Files and links with types that POSIX does not know, GNU's continued volumes among them, are TAR_UNSUPPORTED: what
 * would be guessed about them is not what somebody signed. The archive ends with two zero blocks, with one at the end
 * of the file, or without any at the end of an entry, padded or not; what comes after is not looked at. A zero block
 * and then something else is TAR_MALFORMED, for a hole in a damaged file looks like this.
 *
 * @throws TarError TAR_MALFORMED, TAR_TRUNCATED, TAR_LIMIT, TAR_NAME, TAR_UNSUPPORTED
 */
export function* scanTar(fd: number, limits: TarLimits = {}): Generator<TarEntry> {
  const file = new Window(fd);
  const parser = parseTar(limits);
  let step = parser.next();
  while (step.done !== true) {
    if (typeof step.value === 'number') {
      step = parser.next(step.value > 0 ? file.take(step.value) : file.pass(-step.value));
    } else {
      const { storedSize, path } = step.value;
      file.pass(storedSize, path);
      file.passPadding(padded(storedSize) - storedSize);
      yield step.value;
      step = parser.next();
    }
  }
}

const NOTHING = Buffer.alloc(0);

class Window {
  readonly #fd: number;
  readonly #fileSize: number;
  #buffer = Buffer.allocUnsafe(LARGEST);
  /** What of the buffer is filled, and where it begins in the file. */
  #filled = 0;
  #start = 0;
  /** The next byte, in the file. */
  #at = 0;
  #size = SMALLEST;
  /** Times that the window had what was asked for. */
  #hits = 0;

  constructor(fd: number) {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new TarError('TAR_UNSUPPORTED', 'tar archive: is no regular file');
    this.#fd = fd;
    this.#fileSize = stat.size;
  }

  take(length: number): Buffer {
    let from = this.#at - this.#start;
    if (from + length > this.#filled) {
      this.#fill(length);
      from = 0;
    } else {
      this.#hits++;
    }
    const to = Math.min(from + length, this.#filled);
    this.#at += to - from;
    return this.#buffer.subarray(from, to);
  }

  pass(length: number, what = 'data'): Buffer {
    if (this.#at + length > this.#fileSize) throw truncated(what);
    this.#at += length;
    return NOTHING;
  }

  /** The archive may end before it, as umoci writes layers. */
  passPadding(length: number): void {
    this.#at = Math.min(this.#at + length, this.#fileSize);
  }

  #fill(length: number): void {
    this.#size = this.#hits > 3 ? Math.min(2 * this.#size, LARGEST) : Math.max(this.#size / 2, SMALLEST);
    this.#hits = 0;
    const wanted = Math.max(length, this.#size);
    if (wanted > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(wanted);
    this.#start = this.#at;
    this.#filled = 0;
    while (this.#filled < length) {
      const count = readSync(this.#fd, this.#buffer, this.#filled, wanted - this.#filled, this.#start + this.#filled);
      if (count === 0) break;
      this.#filled += count;
    }
  }
}
