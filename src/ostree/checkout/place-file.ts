/** One file of a checkout: a hard link to the object where that is allowed, else a copy. Spec 12. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { writeAll } from '../../linux/files/write.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { FileHeader } from '../objects/file-header.ts';
import { formatOf } from '../storage/file-format.ts';
import { type FoundObject, missing, type ObjectReader } from '../storage/object-reader.ts';
import { CHUNK, type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import { canLink, isLinkable, type ObjectLinker, unlessRefused } from './object-linker.ts';
import type { CheckoutOptions, CheckoutResult } from './options.ts';
import type { Target } from './target.ts';
import type { UncompressedCache } from './uncompressed-cache.ts';

export interface FilePlacer {
  /**
   * Make a name that must not exist; a promise only for what is large.
   * @param temporary a path beside it: a copy is made there and renamed, where half a file could be taken for a whole one
   * @throws SystemError EEXIST; OstreeError HARDLINKS_IMPOSSIBLE, OBJECT_MISSING
   */
  place(checksum: Checksum, target: Target, name: string, temporary?: string): Promise<void> | undefined;
  /** The same over a file or link that is there, by path. */
  replace(checksum: Checksum, path: string, temporary: string): Promise<void> | undefined;
}

interface Means {
  readonly reader: ObjectReader;
  readonly options: CheckoutOptions;
  readonly cache: UncompressedCache | undefined;
  /** Only with options that allow links. */
  readonly linker: ObjectLinker | undefined;
  readonly result: CheckoutResult;
}

export function filePlacer(means: Means): FilePlacer {
  const { reader, options, linker, result } = means;
  return {
    place(checksum, target, name, temporary) {
      if (linker?.link(checksum, target.fd, name) === true) {
        result.linked++;
        return undefined;
      }
      const path = `${target.at}/${name}`;
      const object = findFile(reader, checksum);
      if (options.links !== 'never' && linkObject(means, object, checksum, path)) {
        result.linked++;
        return undefined;
      }
      return temporary === undefined
        ? copy(means, object, checksum, path)
        : renamed(temporary, path, () => copy(means, object, checksum, temporary));
    },
    replace(checksum, path, temporary) {
      const object = findFile(reader, checksum);
      return renamed(temporary, path, () => {
        if (options.links === 'never' || !linkObject(means, object, checksum, temporary)) {
          return copy(means, object, checksum, temporary);
        }
        result.linked++;
        return undefined;
      });
    },
  };
}

function findFile(reader: ObjectReader, checksum: Checksum): FoundObject {
  const object = reader.find(checksum, 'file');
  if (object === undefined) throw missing(checksum, 'file');
  return object;
}

function copy({ options, result }: Means, object: FoundObject, checksum: Checksum, path: string) {
  const stored = formatOf(object.mode).open(object.path, `file ${checksum}`);
  result.copied++;
  result.bytes += stored.size;
  return copyObject(stored, path, options.userMode);
}

/** What is made under a temporary name takes its place when it is whole, and goes when it does not become so. */
function renamed(temporary: string, path: string, make: () => Promise<void> | undefined): Promise<void> | undefined {
  const clean = (): void => fs.rmSync(temporary, { force: true });
  const rename = (): void => {
    fs.renameSync(temporary, path);
    clean(); // a rename between two links of one file does nothing
  };
  clean();
  let making: Promise<void> | undefined;
  try {
    making = make();
    if (making === undefined) rename();
  } catch (error) {
    clean();
    throw error;
  }
  return making?.then(rename).catch((error: unknown) => {
    clean();
    throw error;
  });
}

/** False where it must be a copy. @throws OstreeError HARDLINKS_IMPOSSIBLE where a link is required and fails */
function linkObject({ options, cache }: Means, object: FoundObject, checksum: Checksum, path: string): boolean {
  if (!canLink(object.mode, options.userMode)) {
    if (cache === undefined || object.mode !== 'archive') return false;
    const unpacked = cache.unpack(object, checksum);
    return unpacked !== undefined && tryLink(unpacked, path, options);
  }
  return isLinkable(object.mode, object.path, object.stats) && tryLink(object.path, path, options);
}

function tryLink(from: string, to: string, { links }: CheckoutOptions): boolean {
  const refusal = unlessRefused(() => fs.linkSync(from, to));
  if (refusal === undefined) return true;
  if (links !== 'require') return false;
  throw new OstreeError('HARDLINKS_IMPOSSIBLE', 'a hard link to the repository cannot be made', { cause: refusal });
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** A copy has the current time. Closes what it copies. */
function copyObject(stored: StoredFile, path: string, userMode: boolean): Promise<void> | undefined {
  const { uid, gid, target, xattrs } = stored.header;
  if (target === undefined) return copyFile(stored, path, userMode);
  stored.close();
  fs.symlinkSync(target, path);
  if (userMode) return undefined;
  fs.lchownSync(path, uid, gid);
  for (const [name, value] of xattrs) xattrCalls().lsetxattr(path, name, value);
  return undefined;
}

/** Nothing waits but the unpacking of large contents. */
function copyFile(stored: StoredFile, path: string, userMode: boolean): Promise<void> | undefined {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  const close = (): void => {
    fs.closeSync(fd);
    stored.close();
  };
  let copying: Promise<void> | undefined;
  try {
    copying = copyContent(stored, fd);
    if (copying === undefined) seal(fd, stored.header, userMode);
  } catch (error) {
    close();
    throw error;
  }
  if (copying === undefined) {
    close();
    return undefined;
  }
  return copying.then(() => seal(fd, stored.header, userMode)).finally(close);
}

/** What `-U` makes of a file's mode: never setuid or setgid, and readable. */
export function userModeOf(mode: number): number {
  return (mode & 0o1777) | 0o400;
}

/** Owner and mode come last: never setuid before it is whole. */
function seal(fd: number, { uid, gid, mode, xattrs }: FileHeader, userMode: boolean): void {
  if (userMode) {
    fs.fchmodSync(fd, userModeOf(mode));
    return;
  }
  fs.fchownSync(fd, uid, gid);
  fs.fchmodSync(fd, mode & 0o7777);
  for (const [name, value] of xattrs) xattrCalls().fsetxattr(fd, name, value);
}

function copyContent(stored: StoredFile, fd: number): Promise<void> | undefined {
  const { plainFd, size, storedSize } = stored;
  if (plainFd !== undefined && (size >= CHUNK || sharesBlocks(fd)) && copyInKernel(plainFd, fd, size)) return undefined;
  if (size <= WHOLE_LIMIT && storedSize <= WHOLE_LIMIT) {
    writeAll(fd, stored.bytes());
    return undefined;
  }
  return copyChunks(stored, fd);
}

async function copyChunks(stored: StoredFile, fd: number): Promise<void> {
  for await (const chunk of stored.chunks()) writeAll(fd, chunk);
}

/** Of statfs(2): btrfs, xfs, bcachefs. Elsewhere a small file is read and written faster than the kernel copies it. */
const REFLINKING = new Set([0x9123683e, 0x58465342, 0xca451a4e]);
let lastDevice: { readonly dev: number; readonly shares: boolean } | undefined;

function sharesBlocks(fd: number): boolean {
  const { dev } = fs.fstatSync(fd);
  if (lastDevice?.dev !== dev) {
    lastDevice = { dev, shares: REFLINKING.has(fs.statfsSync(`/proc/self/fd/${fd}`).type) };
  }
  return lastDevice.shares;
}

/** Shared blocks on file systems with reflinks. False when nothing was copied, for reasons that do not matter. */
function copyInKernel(from: number, to: number, size: number): boolean {
  const copy = systemCalls()?.copyFileRange;
  if (copy === undefined) return false;
  for (let left = size; left > 0; ) {
    let count: number;
    try {
      count = copy(from, to, Math.min(left, 2 ** 30));
    } catch (error) {
      if (left === size && CANNOT.has(codeOf(error) ?? '')) return false;
      throw error;
    }
    if (count === 0) throw new OstreeError('OBJECT_CORRUPT', 'an object became shorter while it was copied');
    left -= count;
  }
  return true;
}

const CANNOT = new Set(['EXDEV', 'EINVAL', 'EOPNOTSUPP', 'ENOSYS']);
