/**
 * An open directory: the names in it are reached through its descriptor (`/proc/self/fd/N/name` stands in for
 * `openat`), so nothing that happens to the path above it can lead a call elsewhere.
 */
import fs from 'node:fs';
import { CodedError, codeOf } from '../../base/error.ts';
import { printable, quote } from '../../base/text.ts';
import { errnoOf, naming, SystemError } from '../calls/system-error.ts';
import { notADirectory, notARegularFile, openDirectoryPath } from './walk.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Open by path; see `openDirectoryPath` for the links it refuses. The caller closes it. */
export function openDirectory(path: string): Directory {
  const absolute = path.startsWith('/') ? path : `${process.cwd()}/${path}`;
  return new Directory(absolute.replace(/(?<=.)\/+$/, ''), openDirectoryPath(path));
}

/** Errors of the methods name the path in `path`; without space they are `DISK_FULL`, else `SystemError`. */
export class Directory {
  /** Absolute, for messages only: nothing is opened by it. */
  readonly path: string;
  #fd: number | undefined;

  /** Takes over a descriptor that is open for reading. */
  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  get fd(): number {
    if (this.#fd === undefined) throw new Error(`unreachable: ${this.path} is used after it was closed`);
    return this.#fd;
  }

  /** A path for one call on `name`, which must be a plain name. @throws CodedError BAD_NAME */
  at(name: string): string {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new CodedError('BAD_NAME', `${printable(this.path)}: ${quote(name)} is not a file name`, { subject: name });
    }
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** The path of a name for messages. */
  pathOf(name: string): string {
    return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
  }

  stat(): fs.Stats {
    return naming(this.path, () => fs.fstatSync(this.fd));
  }

  lstat(name: string): fs.Stats | undefined {
    return this.#on(name, (at) => fs.lstatSync(at, { throwIfNoEntry: false }));
  }

  /** The text of a symbolic link, undefined when there is nothing of that name. @throws SystemError EINVAL: no link */
  readLink(name: string): string | undefined {
    return unlessAbsent(() => this.#on(name, (at) => fs.readlinkSync(at)));
  }

  /** In no particular order. */
  list(): string[] {
    return naming(this.path, () => fs.readdirSync(`/proc/self/fd/${this.fd}`));
  }

  /** Never follows a link (ELOOP) and never waits for the other end of a FIFO. Children do not inherit it. */
  openFile(name: string, flags: number, mode = 0o666): number {
    return this.#on(name, (at) => fs.openSync(at, flags | O_NOFOLLOW | O_NONBLOCK, mode)); // Node adds O_CLOEXEC
  }

  /** For reading; undefined when there is nothing of that name. @throws CodedError NOT_A_REGULAR_FILE */
  openRegular(name: string): { readonly fd: number; readonly stats: fs.Stats } | undefined {
    // Looked at first because opening a device can have effects; looked at again because the name may have changed.
    const before = this.lstat(name);
    if (before === undefined) return undefined;
    if (!before.isFile()) throw notARegularFile(this.pathOf(name));
    const fd = unlessAbsent(() => this.openFile(name, O_RDONLY));
    if (fd === undefined) return undefined;
    const stats = fs.fstatSync(fd);
    if (stats.isFile()) return { fd, stats };
    fs.closeSync(fd);
    throw notARegularFile(this.pathOf(name));
  }

  /** Undefined when there is nothing of that name. @throws CodedError NOT_A_DIRECTORY for anything else, links too */
  openDirectory(name: string): Directory | undefined {
    try {
      const fd = unlessAbsent(() => this.openFile(name, O_RDONLY | O_DIRECTORY));
      return fd === undefined ? undefined : new Directory(this.pathOf(name), fd);
    } catch (error) {
      const code = codeOf(error);
      throw code === 'ENOTDIR' || code === 'ELOOP' ? notADirectory(this.pathOf(name)) : error;
    }
  }

  /** Open it, made before if absent: with `mode` less the umask, and durable. */
  makeDirectory(name: string, mode: number): Directory {
    const existing = this.openDirectory(name);
    if (existing !== undefined) return existing;
    try {
      this.#on(name, (at) => fs.mkdirSync(at, mode));
      this.sync();
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error; // somebody else made it just now
    }
    const made = this.openDirectory(name);
    if (made === undefined) throw new SystemError(errnoOf('ENOENT'), 'open', this.pathOf(name)); // taken away again
    return made;
  }

  /** False when there is nothing of that name. */
  unlink(name: string): boolean {
    return unlessAbsent(() => this.#on(name, (at) => fs.unlinkSync(at)) ?? true) ?? false;
  }

  /** An empty one. False when there is nothing of that name. */
  removeDirectory(name: string): boolean {
    return unlessAbsent(() => this.#on(name, (at) => fs.rmdirSync(at)) ?? true) ?? false;
  }

  /** Replaces what is there; durable after `sync` of both directories. */
  rename(from: string, toDirectory: Directory, toName: string): void {
    const to = toDirectory.at(toName);
    naming(toDirectory.pathOf(toName), () => fs.renameSync(this.at(from), to));
  }

  symlink(target: string, name: string): void {
    this.#on(name, (at) => fs.symlinkSync(target, at));
  }

  /** fsync: entries made, renamed and removed so far outlive a power cut. */
  sync(): void {
    naming(this.path, () => fs.fsyncSync(this.fd));
  }

  /** A second time does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    fs.closeSync(fd);
  }

  #on<T>(name: string, work: (at: string) => T): T {
    const at = this.at(name);
    return naming(
      () => this.pathOf(name),
      () => work(at),
    );
  }
}

/** Only for a call on one name: its ENOENT says that the name is absent, for the directory itself is open. */
function unlessAbsent<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
