/** Directories that no image should have anything in, emptied at the end of a build (spec ostree-container 2.9). */
import fs from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { BuildRootError } from './error.ts';

export interface Emptied {
  /** Files, links, directories. */
  readonly entries: number;
  /** Of files. */
  readonly bytes: number;
  /** Paths of mounts that were met, and left. */
  readonly skipped: readonly string[];
}

const EMPTIED = ['run', 'tmp', 'var/tmp', 'var/cache'] as const;
/** What podman, buildah and docker put into their containers. */
const MARKS = ['/run/.containerenv', '/.dockerenv'] as const;

/**
 * Mounts are told by the kernel's list and by the device: a bind mount may be on the device that it hides.
 * @param root undefined: this container's own
 * @throws BuildRootError NOT_A_CONTAINER, before anything is removed, when there is no container; SystemError
 */
export function emptyBuildRoot(root: string | undefined, dryRun: boolean, isContainer = inContainer): Emptied {
  if (root === undefined && !isContainer()) {
    throw new BuildRootError(
      'NOT_A_CONTAINER',
      'this is not a container: /run, /tmp and /var of the machine are not emptied',
      {
        hint: 'run it as the last step of a container build, or name a directory with --root',
      },
    );
  }
  const base = root ?? '/';
  const work = new Emptying(base, dryRun);
  for (const path of EMPTIED) work.empty(path);
  return work;
}

function inContainer(): boolean {
  return (process.env['container'] ?? '') !== '' || MARKS.some((path) => fs.existsSync(path));
}

class Emptying implements Emptied {
  entries = 0;
  bytes = 0;
  readonly skipped: string[] = [];
  readonly #root: string;
  readonly #device: number;
  readonly #mounts: ReadonlySet<string>;
  readonly #dryRun: boolean;

  constructor(root: string, dryRun: boolean) {
    this.#root = fs.realpathSync(root);
    this.#device = fs.statSync(this.#root).dev;
    this.#mounts = mountPoints();
    this.#dryRun = dryRun;
  }

  /** Links on the way lead elsewhere: then there is no such directory in the image. */
  empty(path: string): void {
    let at: Directory | undefined = openDirectory(this.#root);
    let name = '';
    for (const part of path.split('/')) {
      const above: Directory | undefined = at;
      name = `${name}/${part}`;
      if (above === undefined) return;
      try {
        if (above.lstat(part)?.isDirectory() !== true || this.#isMounted(above, part, name)) return;
        at = above.openDirectory(part);
      } finally {
        above.close();
      }
    }
    if (at === undefined) return;
    try {
      this.#emptyDirectory(at, name);
    } finally {
      at.close();
    }
  }

  /** @returns whether nothing is left in it */
  #emptyDirectory(directory: Directory, path: string): boolean {
    let isEmpty = true;
    for (const name of directory.list()) {
      const own = `${path}/${name}`;
      if (this.#isMounted(directory, name, own) || !this.#remove(directory, name, own)) isEmpty = false;
    }
    return isEmpty;
  }

  #remove(directory: Directory, name: string, path: string): boolean {
    const stats = directory.lstat(name);
    if (stats === undefined) return true;
    if (stats.isDirectory()) {
      const child = directory.openDirectory(name);
      try {
        if (child !== undefined && !this.#emptyDirectory(child, path)) return false;
      } finally {
        child?.close();
      }
    }
    try {
      if (!this.#dryRun) stats.isDirectory() ? directory.removeDirectory(name) : directory.unlink(name);
    } catch (error) {
      if (codeOf(error) !== 'EBUSY') throw error; // mounted since, or in another namespace
      this.skipped.push(path);
      return false;
    }
    this.entries++;
    if (stats.isFile()) this.bytes += stats.size;
    return true;
  }

  #isMounted(directory: Directory, name: string, path: string): boolean {
    const isMounted =
      this.#mounts.has(join(this.#root, path)) || (directory.lstat(name)?.dev ?? this.#device) !== this.#device;
    if (isMounted) this.skipped.push(path);
    return isMounted;
  }
}

/** Of this namespace. Where there is no /proc, devices alone tell. Source of the format: proc_pid_mountinfo(5). */
function mountPoints(): ReadonlySet<string> {
  let text: string;
  try {
    text = fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Set();
    throw error;
  }
  const octal = (field: string): string =>
    field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return new Set(text.split('\n').map((line) => octal(line.split(' ')[4] ?? '')));
}
