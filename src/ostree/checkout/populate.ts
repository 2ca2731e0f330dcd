/**
 * The tree of a checkout, directory by directory. Each is held open while it is filled and reached through its
 * descriptor; no link on the way is followed. Attributes of a directory come when everything is in it.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { AT_FDCWD, systemCalls } from '../../linux/calls/ffi.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { DirMeta } from '../objects/dirmeta.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import type { CheckoutOptions, CheckoutResult } from './options.ts';
import type { FilePlacer } from './place-file.ts';
import { sameFile } from './same-file.ts';

export interface Populate {
  readonly reader: ObjectReader;
  readonly options: CheckoutOptions;
  readonly placer: FilePlacer;
  readonly result: CheckoutResult;
  readonly signal: AbortSignal;
}

/** A directory that is being filled. */
interface Target {
  /** `/proc/self/fd/N`. */
  readonly at: string;
  /** For messages and the skip list: absolute below the root of the commit. */
  readonly path: string;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const PASSTHROUGH = '.ostree-wh.';

/** Fill the directory open as `fd`; its own attributes too when it is new. @param path below the root of the commit */
export async function populate(
  context: Populate,
  fd: number,
  path: string,
  tree: Checksum,
  meta: Checksum,
  isNew: boolean,
): Promise<void> {
  context.signal.throwIfAborted();
  const { reader, options, result } = context;
  const target: Target = { at: `/proc/self/fd/${fd}`, path };
  const attributes = reader.dirMeta(meta);
  const { files, directories } = reader.dirTree(tree);
  if (isNew && !options.userMode) setXattrs(target, attributes);
  if (options.whiteouts && files.some(({ name }) => name === OPAQUE)) empty(target);
  for (const { name, checksum } of files) {
    if (isSkipped(context, target, name) || applyWhiteout(context, target, name)) continue;
    const placing = placeFile(context, target, name, checksum);
    if (placing !== undefined) await placing;
  }
  for (const { name, tree: inner, meta: innerMeta } of directories) {
    if (isSkipped(context, target, name)) continue;
    const made = makeDirectory(context, target, name);
    try {
      await populate(context, made.fd, join(path, name), inner, innerMeta, made.isNew);
    } finally {
      fs.closeSync(made.fd);
    }
  }
  if (isNew) setAttributes(fd, attributes, options);
  result.directories++;
}

function isSkipped({ options }: Populate, { path }: Target, name: string): boolean {
  return options.skip.size > 0 && options.skip.has(join(path, name));
}

function join(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** True when the name was a whiteout, which is not created itself. */
function applyWhiteout({ options, result }: Populate, target: Target, name: string): boolean {
  if (options.whiteouts && name.startsWith(WHITEOUT)) {
    const victim = name.slice(WHITEOUT.length);
    if (name !== OPAQUE && victim !== '' && victim !== '.' && victim !== '..') remove(target, victim);
    return true;
  }
  if (!options.passthroughWhiteouts || !name.startsWith(PASSTHROUGH)) return false;
  const hidden = name.slice(PASSTHROUGH.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw noSuchWhiteout(target, name);
  const calls = systemCalls();
  if (calls === undefined) throw new OstreeError('HARDLINKS_IMPOSSIBLE', 'a device cannot be made without koffi');
  if (options.existing === 'replace') remove(target, hidden);
  naming(join(target.path, hidden), () =>
    calls.mknodat(AT_FDCWD, `${target.at}/${hidden}`, fs.constants.S_IFCHR | 0o000, 0n),
  );
  result.copied++;
  return true;
}

function noSuchWhiteout(target: Target, name: string): OstreeError {
  return new OstreeError('FILE_NAME', `${printable(join(target.path, name))}: a whiteout for no name`);
}

function remove({ at }: Target, name: string): void {
  fs.rmSync(`${at}/${name}`, { recursive: true, force: true });
}

function empty(target: Target): void {
  for (const name of fs.readdirSync(target.at)) remove(target, name);
}

function placeFile(context: Populate, target: Target, name: string, checksum: Checksum): void | Promise<void> {
  const { options, placer } = context;
  const path = `${target.at}/${name}`;
  if (options.existing !== 'refuse') {
    const there = fs.lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined) return placeOver(context, target, name, checksum, there);
  }
  try {
    return placer.place(checksum, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw exists(target, name);
    throw nameError(error, target, name);
  }
}

/** The kernel's errors name a descriptor; the user knows the path. */
function nameError(error: unknown, target: Target, name: string): unknown {
  try {
    naming(join(target.path, name), () => {
      throw error;
    });
  } catch (named) {
    return named;
  }
  return error;
}

/** Something of this name is there, and may be. */
function placeOver(
  context: Populate,
  target: Target,
  name: string,
  checksum: Checksum,
  there: fs.Stats,
): void | Promise<void> {
  const { options, placer, reader } = context;
  const path = `${target.at}/${name}`;
  if (options.existing === 'keep') return;
  if (there.isDirectory()) {
    if (!options.whiteouts) throw exists(target, name);
    remove(target, name);
    return placer.place(checksum, path);
  }
  if (options.existing === 'identical') {
    if (sameFile(reader, checksum, path, there)) return;
    throw new OstreeError('TARGET_EXISTS', `${printable(join(target.path, name))}: exists with another content`, {
      subject: join(target.path, name),
    });
  }
  const temporary = `${target.at}/.${name.slice(0, 100)}.${process.pid}.new`;
  fs.rmSync(temporary, { force: true });
  const placing = placer.place(checksum, temporary);
  const rename = (): void => {
    fs.renameSync(temporary, path);
    fs.rmSync(temporary, { force: true }); // a rename between two links of one file does nothing
  };
  if (placing === undefined) return rename();
  return placing.then(rename);
}

function exists(target: Target, name: string): OstreeError {
  const path = join(target.path, name);
  return new OstreeError('TARGET_EXISTS', `${printable(path)}: exists already`, {
    hint: 'choose a target that does not exist, or --union, --union-add or --union-identical',
    subject: path,
  });
}

/** Opened, made with mode 0700 when it is absent. */
function makeDirectory(context: Populate, target: Target, name: string): { fd: number; isNew: boolean } {
  const path = `${target.at}/${name}`;
  const { existing, whiteouts } = context.options;
  let isNew = true;
  try {
    fs.mkdirSync(path, 0o700);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw nameError(error, target, name);
    if (existing === 'refuse') throw exists(target, name);
    isNew = false;
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      if (!whiteouts) throw exists(target, name);
      remove(target, name);
      fs.mkdirSync(path, 0o700);
      isNew = true;
    }
  }
  return { fd: fs.openSync(path, DIRECTORY), isNew };
}

const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

function setXattrs({ at }: Target, { xattrs }: DirMeta): void {
  for (const [name, value] of xattrs) xattrCalls().lsetxattr(`${at}/.`, name, value);
}

function setAttributes(fd: number, { uid, gid, mode }: DirMeta, options: CheckoutOptions): void {
  if (!options.userMode) fs.fchownSync(fd, uid, gid);
  fs.fchmodSync(fd, mode & (options.bareUserOnlyDirs ? 0o775 : 0o7777));
  if (options.links !== 'never') fs.futimesSync(fd, 0, 0);
}
