/** A large file that grows beside its final place, survives a kill, and gets its name only when it is whole. */
import fs from 'node:fs';
import { naming } from '../calls/system-error.ts';
import type { Directory } from './directory.ts';
import { callerId } from './owner.ts';
import { writeAll } from './write.ts';

const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;
/** One read of `contents`: larger ones are not faster. */
const CHUNK = 2 ** 20;

/** Ends with one of `commit`, `keep` and `discard`; the latter two do nothing to a file that has ended. */
export class StagedFile {
  readonly path: string;
  readonly #directory: Directory;
  readonly #name: string;
  #fd: number | undefined;
  #size: number;

  private constructor(directory: Directory, name: string, fd: number, size: number) {
    this.path = directory.pathOf(name);
    this.#directory = directory;
    this.#name = name;
    this.#fd = fd;
    this.#size = size;
  }

  /** Empty; what lies there goes. */
  static fresh(directory: Directory, name: string): StagedFile {
    directory.unlink(name);
    return new StagedFile(directory, name, directory.openFile(name, O_RDWR | O_CREAT | O_EXCL, 0o600), 0);
  }

  /**
   * With what an earlier run left, which is not to be trusted: hash `contents` again. A thing that we cannot have left
   * (a link, another user's file, a file with a second name) goes, and the file is empty.
   */
  static resume(directory: Directory, name: string): StagedFile {
    if (!isOurs(directory.lstat(name))) return StagedFile.fresh(directory, name);
    const fd = directory.openFile(name, O_RDWR);
    const stats = fs.fstatSync(fd);
    if (isOurs(stats)) return new StagedFile(directory, name, fd, stats.size);
    fs.closeSync(fd);
    return StagedFile.fresh(directory, name);
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes from the first to the last, in chunks whose memory is used again for the next one. */
  *contents(): Generator<Uint8Array, void, undefined> {
    const room = Buffer.allocUnsafe(Math.min(CHUNK, this.#size));
    for (let position = 0; position < this.#size; ) {
      const want = Math.min(room.length, this.#size - position);
      const count = naming(this.path, () => fs.readSync(this.#open(), room, 0, want, position));
      if (count === 0) throw new Error(`unreachable: ${this.path} has become shorter under our lock`);
      yield room.subarray(0, count);
      position += count;
    }
  }

  /** At the end. After an error (DISK_FULL) the file is as long as before. */
  write(chunk: Uint8Array): void {
    const fd = this.#open();
    try {
      naming(this.path, () => writeAll(fd, chunk, this.#size));
    } catch (error) {
      naming(this.path, () => fs.ftruncateSync(fd, this.#size));
      throw error;
    }
    this.#size += chunk.length;
  }

  truncate(size = 0): void {
    naming(this.path, () => fs.ftruncateSync(this.#open(), size));
    this.#size = size;
  }

  /** Durable under its final name, which it replaces, in the same directory. After an error it is still staged. */
  commit(toName: string, mode: number): void {
    const fd = this.#open();
    naming(this.path, () => {
      fs.fchmodSync(fd, mode);
      fs.fsyncSync(fd);
    });
    this.#directory.rename(this.#name, this.#directory, toName);
    this.#close();
    this.#directory.sync();
  }

  /** Left where it is, for `resume`. */
  keep(): void {
    this.#close();
  }

  /** Removed. */
  discard(): void {
    if (this.#fd === undefined) return;
    this.#close();
    this.#directory.unlink(this.#name);
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error(`unreachable: ${this.path} is used after its end`);
    return this.#fd;
  }

  #close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    fs.closeSync(fd);
  }
}

function isOurs(stats: fs.Stats | undefined): boolean {
  return stats?.isFile() === true && stats.nlink === 1 && stats.uid === callerId();
}
