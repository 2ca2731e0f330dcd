/** A root file system in a directory as an image tree. Each path is walked anew, name by name, and no link is followed. */
import fs from 'node:fs';
import { CodedError, codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree, TreeEntry } from '../image-tree.ts';

/** As much as one read call moves well. */
const PIECE = 2 ** 20;

/** @param name for messages */
export function directoryTree(path: string, name: string): ImageTree {
  return {
    name,
    look: (below) => within(path, below, look),
    list: (below) => within(path, below, (parent, last) => namesIn(parent, last)) ?? [],
    read(below, limit) {
      const file = within(path, below, (parent, last) => readBounded(parent, last, limit));
      if (file === undefined) throw notThere(name, below);
      return file.bytes;
    },
    withPlainFile(below, use) {
      const file = within(path, below, (parent, last) => parent.openRegular(last));
      if (file === undefined) throw notThere(name, below);
      try {
        return use(file.fd);
      } finally {
        fs.closeSync(file.fd);
      }
    },
    async *chunks(below) {
      const file = within(path, below, (parent, last) => parent.openRegular(last));
      if (file === undefined) throw notThere(name, below);
      try {
        const room = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, file.stats.size)));
        for (;;) {
          const count = fs.readSync(file.fd, room, 0, room.length, null);
          if (count === 0) return;
          yield room.subarray(0, count);
        }
      } finally {
        fs.closeSync(file.fd);
      }
    },
  };
}

function notThere(name: string, path: string): ContainerError {
  return new ContainerError('BAD_STORED_IMAGE', `${printable(name)}: no file ${printable(path)}`, { subject: path });
}

/** Stands for the directory itself. */
const SELF = '.';

/** Undefined when a directory on the way is absent or is none. */
function within<T>(root: string, path: string, work: (parent: Directory, name: string) => T): T | undefined {
  const parts = path === '' ? [] : path.split('/');
  const last = parts.pop() ?? SELF;
  let at = openDirectory(root);
  try {
    for (const part of parts) {
      const next = enter(at, part);
      if (next === undefined) return undefined;
      at.close();
      at = next;
    }
    return work(at, last);
  } finally {
    at.close();
  }
}

function enter(directory: Directory, name: string): Directory | undefined {
  try {
    return directory.openDirectory(name);
  } catch (error) {
    if (error instanceof CodedError && codeOf(error) === 'NOT_A_DIRECTORY') return undefined;
    throw error;
  }
}

function look(parent: Directory, name: string): TreeEntry | undefined {
  const stats = name === SELF ? parent.stat() : parent.lstat(name);
  const type = stats && typeOf(stats);
  if (stats === undefined || type === undefined) return undefined;
  return {
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === 'file' ? stats.size : 0,
    target: type === 'symlink' ? parent.readLink(name) : undefined,
    hasCapabilities: type === 'file' && hasCapabilities(parent, name),
  };
}

/** Devices and the like are not there for us: no image that we store has them. */
function typeOf(stats: fs.Stats): TreeEntry['type'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : undefined;
}

function hasCapabilities(parent: Directory, name: string): boolean {
  return systemCalls()?.lgetxattr(parent.at(name), 'security.capability') !== undefined;
}

function namesIn(parent: Directory, name: string): string[] {
  if (name === SELF) return sorted(parent.list());
  const directory = enter(parent, name);
  try {
    return sorted(directory?.list() ?? []);
  } finally {
    directory?.close();
  }
}

function sorted(names: readonly string[]): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
