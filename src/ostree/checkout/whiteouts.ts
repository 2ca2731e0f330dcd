/** Entries that stand for the absence of others: those of OCI layers (`.wh.NAME`), and those of overlayfs in disguise. */
import fs from 'node:fs';
import { CodedError, codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { AT_FDCWD, systemCalls } from '../../linux/calls/ffi.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { DirTree, FileEntry } from '../objects/dirtree.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import type { CheckoutOptions } from './options.ts';
import { joinPath, nameError, remove, type Target, targetExists } from './target.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const PASSTHROUGH = '.ostree-wh.';

interface Means {
  readonly reader: ObjectReader;
  readonly options: CheckoutOptions;
}

/** Does this directory hide everything that was in its place? */
export function isOpaque({ reader, options }: Means, { files }: DirTree): boolean {
  if (!options.whiteouts) return false;
  const marker = files.find(({ name }) => name === OPAQUE);
  return marker !== undefined && !isLink(reader, marker.checksum);
}

/** True when the name was a whiteout, which is not created itself. Links never are whiteouts. */
export function applyWhiteout(means: Means, target: Target, { name, checksum }: FileEntry): boolean {
  const { options, reader } = means;
  if (options.whiteouts && name.startsWith(WHITEOUT)) {
    if (isLink(reader, checksum)) return false;
    if (name !== OPAQUE) remove(target, hiddenName(target, name, WHITEOUT));
    return true;
  }
  if (!options.passthroughWhiteouts || !name.startsWith(PASSTHROUGH) || isLink(reader, checksum)) return false;
  makeDevice(means, target, hiddenName(target, name, PASSTHROUGH), checksum);
  return true;
}

function isLink(reader: ObjectReader, checksum: Checksum): boolean {
  const stored = reader.file(checksum);
  stored.close();
  return stored.header.target !== undefined;
}

/** @throws OstreeError FILE_NAME: nothing, or the directory itself, or the one above */
function hiddenName(target: Target, name: string, prefix: string): string {
  const hidden = name.slice(prefix.length);
  if (hidden !== '' && hidden !== '.' && hidden !== '..') return hidden;
  throw new OstreeError('FILE_NAME', `${printable(joinPath(target, name))}: a whiteout for no name`);
}

/** The character device 0:0 by which overlayfs hides a name, with owner and mode of the file that stands for it. */
function makeDevice({ reader, options }: Means, target: Target, name: string, checksum: Checksum): void {
  const path = `${target.at}/${name}`;
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined) {
    if (options.existing === 'keep' || (options.existing === 'identical' && isHidingDevice(there))) return;
    if (options.existing !== 'replace') throw targetExists(joinPath(target, name));
    remove(target, name);
  }
  const calls = systemCalls();
  if (calls === undefined) throw new CodedError('NO_MKNOD', 'a device can only be made with the npm package koffi');
  const stored = reader.file(checksum);
  stored.close();
  const { uid, gid, mode, xattrs } = stored.header;
  try {
    calls.mknodat(AT_FDCWD, path, fs.constants.S_IFCHR, 0n);
    if (!options.userMode) {
      fs.lchownSync(path, uid, gid);
      for (const [key, value] of xattrs) xattrCalls().lsetxattr(path, key, value);
    }
    fs.chmodSync(path, mode & 0o7777);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw targetExists(joinPath(target, name));
    throw nameError(error, target, name);
  }
}

function isHidingDevice(stats: fs.Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
