/**
 * A commit on the disk. A new target is filled beside its place under a name of its own and renamed when it is whole
 * and flushed: it is there or it is not. With an existing target (`--union...`) each file is replaced by itself.
 */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { syncFileSystem } from '../../linux/files/flush.ts';
import { OstreeError } from '../error.ts';
import { findEntry, type Subtree } from '../history/find-entry.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { FileEntry } from '../objects/dirtree.ts';
import { lockForReading } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';
import { type ObjectReader, objectsOf } from '../storage/object-reader.ts';
import { breather } from './breath.ts';
import { canLink, type ObjectLinker, openLinker } from './object-linker.ts';
import type { CheckoutOptions, CheckoutResult } from './options.ts';
import { filePlacer } from './place-file.ts';
import { placeFile } from './place-over.ts';
import { type Populate, populate } from './populate.ts';
import { remembered } from './remembered.ts';
import { stageTarget } from './staged-target.ts';
import { remove, targetExists, targetOf } from './target.ts';
import { openUncompressedCache } from './uncompressed-cache.ts';
import { isOpaque } from './whiteouts.ts';

/**
 * @param target its parent directory must exist
 * @throws OstreeError TARGET_EXISTS, HARDLINKS_IMPOSSIBLE, OBJECT_MISSING, PATH_MISSING, TOO_LARGE
 */
export async function checkout(
  repository: Repository,
  commit: Checksum,
  target: string,
  given: CheckoutOptions,
  signal: AbortSignal,
): Promise<CheckoutResult> {
  const options = effectiveOptions(repository, given);
  assertLinksPossible(repository, options);
  const reader = objectsOf(repository);
  const result: CheckoutResult = { directories: 0, linked: 0, copied: 0, bytes: 0 };
  const cache = usesCache(repository, options) ? openUncompressedCache(repository) : undefined;
  const found = findEntry(reader, reader.commit(commit), options.subpath);
  signal.throwIfAborted();
  const path = resolve(target);
  const held = await lockForReading(repository, { signal });
  let parent: Directory | undefined;
  let linker: ObjectLinker | undefined;
  try {
    if (options.links !== 'never') linker = openLinker(reader.places, options.userMode);
    const placer = filePlacer({ reader, options, cache, linker, result });
    const dirMeta = remembered((checksum: Checksum) => reader.dirMeta(checksum));
    const context: Populate = { reader, dirMeta, options, placer, result, breathe: breather(signal) };
    parent = openDirectory(dirname(path));
    const place = { parent, name: basename(path), fsync: options.fsync && repository.config.fsync };
    if (found.kind === 'file') await checkOutFile(context, found, place);
    else if (options.existing === 'refuse') await checkOutNew(context, found, place);
    else await checkOutInto(context, found, place);
    cache?.keep(() => place.fsync && syncFileSystem(repository.directory));
  } finally {
    cache?.close();
    linker?.close();
    parent?.close();
    held.release();
  }
  return result;
}

export interface CheckoutPlan {
  readonly directories: number;
  /** Files and links together. */
  readonly files: number;
}

/** What `checkout` would make, and whether it could begin: the refusals are the same. Changes nothing. */
export function planCheckout(
  repository: Repository,
  commit: Checksum,
  target: string,
  given: CheckoutOptions,
): CheckoutPlan {
  const options = effectiveOptions(repository, given);
  assertLinksPossible(repository, options);
  const reader = objectsOf(repository);
  const found = findEntry(reader, reader.commit(commit), options.subpath);
  const path = resolve(target);
  const parent = openDirectory(dirname(path));
  try {
    const isThere = parent.lstat(basename(path)) !== undefined;
    if (isThere && options.existing === 'refuse' && found.kind !== 'file') throw targetExists(path);
  } finally {
    parent.close();
  }
  return found.kind === 'file' ? { directories: 0, files: 1 } : countEntries(reader, found.tree);
}

/** A directory that is in several places counts for each. */
function countEntries(reader: ObjectReader, root: Checksum): CheckoutPlan {
  let [directories, files] = [0, 0];
  const open = [root];
  for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
    const contents = reader.dirTree(tree);
    directories++;
    files += contents.files.length;
    for (const inner of contents.directories) open.push(inner.tree);
  }
  return { directories, files };
}

interface Place {
  readonly parent: Directory;
  readonly name: string;
  readonly fsync: boolean;
}

function usesCache({ mode, config }: Repository, { userMode, disableCache, links }: CheckoutOptions): boolean {
  return mode === 'archive' && config.uncompressedCache && userMode && !disableCache && links === 'auto';
}

/** Repositories without owners behave as if `-U -M` was given. */
function effectiveOptions(repository: Repository, options: CheckoutOptions): CheckoutOptions {
  if (repository.mode !== 'bare-user-only') return options;
  return { ...options, userMode: true, bareUserOnlyDirs: true };
}

function assertLinksPossible({ mode }: Repository, { links, userMode, existing }: CheckoutOptions): void {
  const refuse = (why: string): never => {
    throw new OstreeError('HARDLINKS_IMPOSSIBLE', why);
  };
  if (existing === 'identical' && links !== 'require') refuse('--union-identical needs -H (--require-hardlinks)');
  if (links !== 'require' || canLink(mode, userMode)) return;
  const how = userMode ? 'with -U' : 'without -U';
  refuse(`files of a repository of mode ${mode} cannot be hard-linked ${how}`);
}

/** There as a whole, or not at all. */
async function checkOutNew(context: Populate, found: Subtree, { parent, name, fsync }: Place): Promise<void> {
  if (parent.lstat(name) !== undefined) throw targetExists(parent.pathOf(name));
  const staged = stageTarget(parent, name);
  try {
    await populate(context, targetOf(staged.fd, '/', 0), context.reader.dirTree(found.tree), found.meta, true);
    if (fsync) syncFileSystem(parent);
    staged.publish();
    if (fsync) parent.sync();
  } finally {
    staged.close();
  }
}

/** Over what is there; a target that is absent is made. */
async function checkOutInto(context: Populate, found: Subtree, place: Place): Promise<void> {
  const { directory, isMade } = openOrMake(place);
  try {
    const contents = context.reader.dirTree(found.tree);
    const target = targetOf(directory.fd, '/', 0);
    const isCleared = !isMade && isOpaque(context, contents);
    if (isCleared) for (const name of directory.list()) remove(target, name);
    await populate(context, target, contents, found.meta, isMade || isCleared);
    finish(directory, place);
  } finally {
    directory.close();
  }
}

/** A single file: the target is a directory, and the file keeps its name. */
async function checkOutFile(context: Populate, entry: FileEntry, place: Place): Promise<void> {
  const { directory } = openOrMake(place);
  try {
    await placeFile(context, targetOf(directory.fd, '/', 0), entry);
    finish(directory, place);
  } finally {
    directory.close();
  }
}

function finish(directory: Directory, { parent, fsync }: Place): void {
  if (!fsync) return;
  syncFileSystem(directory);
  parent.sync();
}

/** The target itself may be a link to a directory, under the rules of `openDirectory`. */
function openOrMake({ parent, name }: Place): { directory: Directory; isMade: boolean } {
  const isMade = parent.lstat(name) === undefined;
  if (isMade) naming(parent.pathOf(name), () => fs.mkdirSync(parent.at(name), 0o700));
  return { directory: isMade ? openMade(parent, name) : openDirectory(parent.pathOf(name)), isMade };
}

function openMade(parent: Directory, name: string): Directory {
  const directory = parent.openDirectory(name);
  if (directory === undefined) throw new Error('unreachable: a directory that was just made');
  return directory;
}
