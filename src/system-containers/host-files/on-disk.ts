/** What is on the disk now, under a path of the host. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { explain } from '../../base/error.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { ContainerError } from '../error.ts';
import { type HostRoot, type Parents, withParents } from './open-parents.ts';

export type OnDisk =
  | { readonly kind: 'absent' | 'other' }
  | ({ readonly kind: 'directory' } & Owner)
  /** `path`: what on the way is no directory. */
  | { readonly kind: 'blocked'; readonly path: string }
  /** Nobody can get there safely. */
  | { readonly kind: 'refused'; readonly error: ContainerError }
  | FileOnDisk;

interface Owner {
  /** Permission bits, setuid and friends included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface FileOnDisk extends Owner {
  readonly kind: 'file' | 'symlink';
  /** Of the content, or of a link's text. */
  readonly sha256: string;
  readonly identity: string;
}

const CHUNK = 2 ** 20;

/** Looks at each path once. Where something of an interrupted run lies beside it, `leftovers` has it. */
export class Survey {
  /** Paths of temporary files and directories. */
  readonly leftovers = new Set<string>();
  readonly #root: HostRoot;
  readonly #known = new Map<string, OnDisk>();

  constructor(root: HostRoot) {
    this.#root = root;
  }

  at(path: string): OnDisk {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const found = this.#look(path);
    this.#known.set(path, found);
    return found;
  }

  /** Names in a directory of the host that is no link; undefined when it is none. */
  list(path: string): readonly string[] | undefined {
    return withParents(this.#root, path, (parents) => {
      const directory = parents.kind === 'open' ? existingDirectory(parents) : undefined;
      try {
        return directory?.list();
      } finally {
        directory?.close();
      }
    });
  }

  /** Is it a directory, or a link of root's to one? */
  isDirectory(path: string): boolean {
    if (this.at(path).kind === 'directory') return true;
    return this.at(path).kind === 'symlink' && withParents(this.#root, `${path}/.`, ({ kind }) => kind === 'open');
  }

  #look(path: string): OnDisk {
    try {
      return withParents(this.#root, path, (parents) => this.#lookIn(path, parents));
    } catch (error) {
      if (error instanceof ContainerError && error.code === 'HOST_PATH_REFUSED') return { kind: 'refused', error };
      throw error;
    }
  }

  #lookIn(path: string, parents: Parents): OnDisk {
    if (parents.kind === 'missing') return { kind: 'absent' };
    if (parents.kind === 'blocked') return { kind: 'blocked', path: parents.path };
    const { directory, name } = parents;
    const temporary = temporaryName(path);
    if (directory.lstat(temporary) !== undefined) this.leftovers.add(besides(path, temporary));
    return lookIn(directory, name);
  }
}

/** The only thing that has this name is what we were about to bring to `path`. */
export function temporaryName(path: string): string {
  return `.os-containers-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.tmp`;
}

/** Changes with every change of the file, of its owner and of its mode. */
export function identityOf({ dev, ino, size, mtimeMs, ctimeMs }: fs.Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(':');
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Of a file from its beginning. */
export function sha256OfFile(fd: number): string {
  const hash = createHash('sha256');
  const room = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ; ) {
    const count = fs.readSync(fd, room, 0, room.length, at);
    if (count === 0) return hash.digest('hex');
    hash.update(room.subarray(0, count));
    at += count;
  }
}

/** For the log: why something did not work. */
export function reason(error: unknown): string {
  return explain(error);
}

function lookIn(directory: Directory, name: string): OnDisk {
  const stats = directory.lstat(name);
  if (stats === undefined) return { kind: 'absent' };
  if (stats.isDirectory()) return { kind: 'directory', ...ownerIn(stats) };
  if (stats.isSymbolicLink()) return found('symlink', stats, sha256Of(directory.readLink(name) ?? ''));
  if (!stats.isFile()) return { kind: 'other' };
  const file = directory.openRegular(name);
  if (file === undefined) return { kind: 'absent' };
  try {
    return found(
      'file',
      file.stats,
      naming(directory.pathOf(name), () => sha256OfFile(file.fd)),
    );
  } finally {
    fs.closeSync(file.fd);
  }
}

function found(kind: FileOnDisk['kind'], stats: fs.Stats, sha256: string): FileOnDisk {
  return { kind, sha256, ...ownerIn(stats), identity: identityOf(stats) };
}

function ownerIn({ mode, uid, gid }: fs.Stats): Owner {
  return { mode: mode & 0o7777, uid, gid };
}

function existingDirectory({ directory, name }: Extract<Parents, { kind: 'open' }>): Directory | undefined {
  return directory.lstat(name)?.isDirectory() === true ? directory.openDirectory(name) : undefined;
}

function besides(path: string, name: string): string {
  return `${path.slice(0, path.lastIndexOf('/'))}/${name}`;
}
