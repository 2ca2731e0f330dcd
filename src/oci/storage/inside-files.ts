/** Files below a directory by names that are bytes. Links on the way lead nowhere but within, as after a chroot. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { damaged } from './error.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** As many as the kernel follows. */
const LINKS_LIMIT = 40;

export interface OpenFile {
  readonly fd: number;
  readonly size: number;
}

export class InsideFiles {
  readonly #root: Directory;
  /** The folder of the last file: the next one mostly lies there too. Names are bytes as latin1. */
  #last: { readonly folder: string; readonly fd: number } | undefined;

  /** Takes over the directory. */
  constructor(root: Directory) {
    this.#root = root;
  }

  /** For reading; the caller closes it. @throws StorageError STORAGE_MALFORMED when there is no such regular file */
  open(name: Uint8Array): OpenFile {
    const parts = split(Buffer.from(name).toString('latin1'));
    const last = parts.pop();
    const shown = this.#root.pathOf(Buffer.from(name).toString());
    if (last === undefined || last === '..' || name.includes(0)) throw damaged(shown, 'is not the name of a file');
    try {
      return naming(shown, () => openRegular(pathAt(this.#folder(parts, shown), last), shown));
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error) ?? '')) throw error;
      throw damaged(shown, 'is missing', error);
    }
  }

  close(): void {
    if (this.#last !== undefined) fs.closeSync(this.#last.fd);
    this.#last = undefined;
    this.#root.close();
  }

  #folder(parts: readonly string[], shown: string): number {
    const folder = parts.join('/');
    if (this.#last?.folder === folder) return this.#last.fd;
    const fd = walk(this.#root.fd, parts, shown);
    if (this.#last !== undefined) fs.closeSync(this.#last.fd);
    this.#last = { folder, fd };
    return fd;
  }
}

function openRegular(path: Buffer, shown: string): OpenFile {
  if (!fs.lstatSync(path).isFile()) throw damaged(shown, 'is no regular file'); // opening a device can have effects
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  return { fd, size: fs.fstatSync(fd).size };
}

/** A descriptor of the caller's. */
function walk(root: number, parts: readonly string[], shown: string): number {
  const open = [fs.openSync(`/proc/self/fd/${root}`, O_RDONLY | O_DIRECTORY)];
  const pending = [...parts].reverse();
  try {
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const here = open.at(-1) ?? root;
      if (name === '..') {
        closeDownTo(open, Math.max(1, open.length - 1)); // above the root is the root
        continue;
      }
      const path = pathAt(here, name);
      if (!fs.lstatSync(path).isSymbolicLink()) {
        open.push(fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        continue;
      }
      if (++links > LINKS_LIMIT) throw damaged(shown, 'too many links on the way');
      const target = fs.readlinkSync(path, 'latin1');
      if (target.startsWith('/')) closeDownTo(open, 1);
      pending.push(...split(target).reverse());
    }
    const found = open.pop();
    if (found === undefined) throw new Error('unreachable: the root stays');
    return found;
  } finally {
    closeDownTo(open, 0);
  }
}

function closeDownTo(open: number[], count: number): void {
  for (const fd of open.splice(count)) fs.closeSync(fd);
}

function pathAt(folder: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), Buffer.from(name, 'latin1')]);
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
