/**
 * The tree of a checkout, directory by directory. Each is held open while it is filled and reached through its
 * descriptor; no link on the way is followed. Attributes of a directory come when everything is in it.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { DirMeta } from '../objects/dirmeta.ts';
import type { DirectoryEntry, DirTree } from '../objects/dirtree.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import type { CheckoutOptions, CheckoutResult } from './options.ts';
import { type Placing, placeFile } from './place-over.ts';
import { joinPath, remove, type Target, targetExists, targetOf } from './target.ts';
import { applyWhiteout, isOpaque } from './whiteouts.ts';

export interface Populate extends Placing {
  readonly result: CheckoutResult;
  readonly dirMeta: (checksum: Checksum) => DirMeta;
  /** For each file: lets others have their turn, ends the work when it was aborted. */
  readonly breathe: () => Promise<void> | undefined;
}

/** Directories below each other: a path of more than 4096 bytes could not be used, or removed again. */
const DEEPEST = 2048;

/** Fill a directory; with its own attributes when it is new. */
export async function populate(
  context: Populate,
  target: Target,
  contents: DirTree,
  meta: Checksum,
  isNew: boolean,
): Promise<void> {
  const { dirMeta, options, result } = context;
  const attributes = dirMeta(meta);
  for (const entry of contents.files) {
    const breath = context.breathe();
    if (breath !== undefined) await breath;
    if (isSkipped(options, target, entry.name) || applyWhiteout(context, target, entry)) continue;
    const placing = placeFile(context, target, entry);
    if (placing !== undefined) await placing;
  }
  for (const directory of contents.directories) {
    if (!isSkipped(options, target, `${directory.name}/`)) await enter(context, target, directory);
  }
  if (isNew) naming(target.path, () => setAttributes(target, attributes, options));
  result.directories++;
}

async function enter(context: Populate, target: Target, { name, tree, meta }: DirectoryEntry): Promise<void> {
  const path = joinPath(target, name);
  if (target.depth >= DEEPEST) {
    throw new OstreeError('TOO_LARGE', `${printable(path)}: more than ${DEEPEST} directories below each other`);
  }
  const breath = context.breathe();
  if (breath !== undefined) await breath;
  const contents = context.reader.dirTree(tree);
  if (context.options.existing !== 'refuse' && isOpaque(context, contents)) remove(target, name);
  const made = naming(path, () => makeDirectory(context.options, target, name));
  try {
    await populate(context, targetOf(made.fd, path, target.depth + 1), contents, meta, made.isNew);
  } finally {
    fs.closeSync(made.fd);
  }
}

function isSkipped({ skip }: CheckoutOptions, target: Target, name: string): boolean {
  return skip.size > 0 && skip.has(joinPath(target, name));
}

/** Opened, made with mode 0700 when it is absent. */
function makeDirectory(options: CheckoutOptions, target: Target, name: string): { fd: number; isNew: boolean } {
  const path = `${target.at}/${name}`;
  const calls = systemCalls();
  let isNew = true;
  try {
    if (calls === undefined) fs.mkdirSync(path, 0o700);
    else calls.mkdirat(target.fd, name, 0o700);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (options.existing === 'refuse') throw targetExists(joinPath(target, name));
    isNew = false;
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      if (!options.whiteouts || options.existing !== 'replace') throw targetExists(joinPath(target, name));
      remove(target, name);
      fs.mkdirSync(path, 0o700);
      isNew = true;
    }
  }
  return { fd: calls?.openDirectoryAt(target.fd, name) ?? fs.openSync(path, DIRECTORY), isNew };
}

const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

/** The attributes come last, too: what is made below a default ACL would inherit it. */
function setAttributes({ fd, at }: Target, { uid, gid, mode, xattrs }: DirMeta, options: CheckoutOptions): void {
  if (!options.userMode) {
    fs.fchownSync(fd, uid, gid);
    for (const [name, value] of xattrs) xattrCalls().lsetxattr(`${at}/.`, name, value);
  }
  fs.fchmodSync(fd, mode & (options.bareUserOnlyDirs ? 0o775 : 0o7777));
  if (options.links !== 'never') fs.futimesSync(fd, 0, 0);
}
