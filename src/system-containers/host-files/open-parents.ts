/**
 * The way to a file of the host: every directory on it opened from the one before, so that nobody can lead a write made
 * as root elsewhere. Links are followed where root made them, and inside of the prefix of `--root` only.
 */
import { statSync } from 'node:fs';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { callerId, judgeOwner, shellQuote } from '../../linux/files/owner.ts';
import { ContainerError } from '../error.ts';
import { type Places, seenFromHost } from '../places/index.ts';
import { isWithin } from './host-path.ts';

/** As many links on a way as the kernel follows. */
const LINK_LIMIT = 40;
/** Kernel interfaces and devices: nothing there is a file of an image. */
const KERNEL = ['/proc', '/sys', '/dev'];

export type Parents =
  /** `directory` is open, the caller closes it; `physical` is the host path without links on the way. */
  | { readonly kind: 'open'; readonly directory: Directory; readonly name: string; readonly physical: string }
  /** `path`: the first directory on the way that does not exist. */
  | { readonly kind: 'missing'; readonly path: string; readonly physical: string }
  /** `path`: something on the way that is no directory, and no link to one. */
  | { readonly kind: 'blocked'; readonly path: string };

/** `/` of the host, or the directory of `--root`. The caller closes it. */
export class HostRoot {
  readonly places: Places;
  readonly directory: Directory;
  /** Directories of the storage, by device and inode: they may be reached by other names as well. */
  readonly #storage: ReadonlySet<string>;

  constructor(places: Places) {
    this.places = places;
    this.directory = openDirectory(places.root === '' ? '/' : places.root);
    this.#storage = new Set(storageOf(places).flatMap((path) => idAt(path) ?? []));
  }

  /** @throws ContainerError HOST_PATH_REFUSED in the storage and where the kernel has its files */
  assertOutside(path: string, physical: string, way: readonly Directory[]): void {
    const storage = storageOf(this.places).map((each) => seenFromHost(this.places, each));
    const inside = [...KERNEL, ...storage].find((each) => isWithin(physical, each));
    if (inside !== undefined) throw refused(path, `it lies in ${printable(inside)}`);
    const shared = way.find((each) => this.#storage.has(idOf(each.stat())));
    if (shared !== undefined) throw refused(path, `it lies in the storage, ${printable(shared.path)}`);
  }

  close(): void {
    this.directory.close();
  }
}

/**
 * Open the directory that holds `path`.
 * @param path normalised, as `hostPath` gives it
 * @throws ContainerError HOST_PATH_REFUSED where anyone but root owns or may write a directory on the way, or owns a
 * link; in the storage, /proc, /sys and /dev. SystemError EACCES ...
 */
export function openParents(root: HostRoot, path: string): Parents {
  const names = path.slice(1).split('/');
  const name = names.pop() ?? '';
  const way = new Way(root, path);
  try {
    for (const [i, each] of names.entries()) {
      const found = way.enter(each);
      if (found === 'entered') continue;
      const here = `/${names.slice(0, i + 1).join('/')}`;
      if (found === 'blocked') return { kind: 'blocked', path: here };
      const physical = way.finish([...names.slice(i), name]);
      return { kind: 'missing', path: here, physical };
    }
    const physical = way.finish([name]);
    return { kind: 'open', directory: way.take(), name, physical };
  } finally {
    way.close();
  }
}

/** The same, closed after use. */
export function withParents<T>(root: HostRoot, path: string, use: (parents: Parents) => T): T {
  const parents = openParents(root, path);
  try {
    return use(parents);
  } finally {
    if (parents.kind === 'open') parents.directory.close();
  }
}

/** Where one stands, and how one came there: `..` in a link leads back the same way. */
class Way {
  readonly #root: HostRoot;
  readonly #path: string;
  readonly #stack: { readonly name: string; readonly directory: Directory }[] = [];
  #links = 0;

  constructor(root: HostRoot, path: string) {
    this.#root = root;
    this.#path = path;
  }

  enter(name: string): 'entered' | 'missing' | 'blocked' {
    if (name === '' || name === '.') return 'entered';
    if (name === '..') {
      this.#stack.pop()?.directory.close();
      return 'entered';
    }
    const here = this.#here();
    this.#assertSafe(here);
    const stats = here.lstat(name);
    if (stats === undefined) return 'missing';
    if (stats.isSymbolicLink()) return this.#follow(here, name, stats.uid);
    if (!stats.isDirectory()) return 'blocked';
    const directory = here.openDirectory(name);
    if (directory === undefined) return 'missing';
    this.#stack.push({ name, directory });
    return 'entered';
  }

  /** @param rest names below that are not walked any more. @returns the path without links */
  finish(rest: readonly string[]): string {
    this.#assertSafe(this.#here());
    const physical = `/${[...this.#stack.map(({ name }) => name), ...rest].join('/')}`;
    const directories = this.#stack.map(({ directory }) => directory);
    this.#root.assertOutside(this.#path, physical, directories);
    return physical;
  }

  /** The directory one stands in, which the caller has to close then. */
  take(): Directory {
    return this.#stack.pop()?.directory ?? openDirectory(this.#root.directory.path);
  }

  close(): void {
    for (const { directory } of this.#stack.splice(0)) directory.close();
  }

  #here(): Directory {
    return this.#stack.at(-1)?.directory ?? this.#root.directory;
  }

  /** A link that leads nowhere is in the way: no directory can be made in its place. */
  #follow(here: Directory, name: string, uid: number): 'entered' | 'blocked' {
    const link = here.pathOf(name);
    if (++this.#links > LINK_LIMIT) throw refused(this.#path, `more than ${LINK_LIMIT} links lead there`);
    if (uid !== 0 && uid !== callerId()) {
      throw refused(
        this.#path,
        `the link ${printable(link)} is owned by user ${uid}`,
        `chown -h root ${shellQuote(link)}`,
      );
    }
    const target = here.readLink(name) ?? '';
    if (target.startsWith('/')) this.close();
    for (const each of target.split('/')) if (this.enter(each) !== 'entered') return 'blocked';
    return 'entered';
  }

  #assertSafe(directory: Directory): void {
    const verdict = judgeOwner(directory.stat(), { path: directory.path });
    if (verdict === undefined) return;
    throw refused(this.#path, `${printable(directory.path)}: ${verdict.problem}`, verdict.mend);
  }
}

function storageOf({ checkouts, repository, state }: Places): readonly string[] {
  return [checkouts, repository, state];
}

function idAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && idOf(stats);
}

function idOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

function refused(path: string, why: string, hint?: string): ContainerError {
  return new ContainerError('HOST_PATH_REFUSED', `${printable(path)}: not written by root: ${why}`, {
    hint,
    subject: path,
  });
}
