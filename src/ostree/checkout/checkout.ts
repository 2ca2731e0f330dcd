/**
 * A commit on the disk. A new target is filled beside its place under a name of its own and renamed when it is whole
 * and flushed: it is there or it is not. With an existing target (`--union...`) each file is replaced by itself.
 */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { renameExclusive } from '../../linux/files/exclusive-rename.ts';
import { syncFileSystem } from '../../linux/files/flush.ts';
import { OstreeError } from '../error.ts';
import { findEntry, type Subtree } from '../history/find-entry.ts';
import type { Checksum } from '../objects/checksum.ts';
import { lockForReading } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import type { CheckoutOptions, CheckoutResult } from './options.ts';
import { canLink, filePlacer } from './place-file.ts';
import { type Populate, populate } from './populate.ts';
import { openUncompressedCache } from './uncompressed-cache.ts';

/**
 * @param target its parent directory must exist
 * @throws OstreeError TARGET_EXISTS, HARDLINKS_IMPOSSIBLE, OBJECT_MISSING, PATH_MISSING
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
  const useCache =
    repository.mode === 'archive' && options.userMode && !options.disableCache && options.links === 'auto';
  const cache = useCache ? openUncompressedCache(repository) : undefined;
  const placer = filePlacer({ reader, options, cache, result });
  const context: Populate = { reader, options, placer, result, signal };
  const path = resolve(target);
  const held = await lockForReading(repository, { signal });
  try {
    const found = findEntry(reader, reader.commit(commit), options.subpath);
    if (found.kind === 'file') await checkOutFile(context, found.name, found.checksum, path);
    else if (options.existing === 'refuse') await checkOutNew(context, found, path);
    else await checkOutInto(context, found, path);
  } finally {
    held.release();
  }
  return result;
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

async function checkOutNew(context: Populate, found: Subtree, path: string): Promise<void> {
  const parent = openDirectory(dirname(path));
  try {
    const name = basename(path);
    if (parent.lstat(name) !== undefined) throw targetExists(path);
    const staged = openStage(parent, name);
    try {
      await populate(context, staged.fd, found.path, found.tree, found.meta, true);
      if (context.options.fsync) syncFileSystem(parent);
      if (!renameExclusive({ directory: parent, name: staged.name }, { directory: parent, name })) {
        throw targetExists(path);
      }
      if (context.options.fsync) parent.sync();
    } catch (error) {
      fs.rmSync(parent.at(staged.name), { recursive: true, force: true });
      throw error;
    } finally {
      fs.closeSync(staged.fd);
    }
  } finally {
    parent.close();
  }
}

interface Stage {
  readonly name: string;
  readonly fd: number;
}

/** The lock on the directory itself tells the stage of a running checkout from what a killed one left. */
function openStage(parent: Directory, name: string): Stage {
  const prefix = `.${name.slice(0, 200)}.checkout-`;
  for (const left of parent.list()) {
    if (left.startsWith(prefix)) removeUnlocked(parent, left);
  }
  const staged = `${prefix}${process.pid}`;
  fs.mkdirSync(parent.at(staged), 0o700);
  const fd = fs.openSync(parent.at(staged), DIRECTORY);
  systemCalls()?.flock(fd, 'exclusive');
  return { name: staged, fd };
}

const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

function removeUnlocked(parent: Directory, name: string): void {
  const directory = parent.openDirectory(name);
  if (directory === undefined) return;
  try {
    if (systemCalls()?.flock(directory.fd, 'exclusive') !== true) return;
    fs.rmSync(parent.at(name), { recursive: true, force: true });
  } finally {
    directory.close();
  }
}

/** Over what is there; a target that is absent is made. */
async function checkOutInto(context: Populate, found: Subtree, path: string): Promise<void> {
  const parent = openDirectory(dirname(path));
  try {
    const name = basename(path);
    const isNew = makeUnlessThere(parent, name);
    const target = isNew.directory;
    try {
      await populate(context, target.fd, found.path, found.tree, found.meta, isNew.made);
      if (context.options.fsync) {
        syncFileSystem(target);
        parent.sync();
      }
    } finally {
      target.close();
    }
  } finally {
    parent.close();
  }
}

function makeUnlessThere(parent: Directory, name: string): { directory: Directory; made: boolean } {
  const there = parent.openDirectory(name);
  if (there !== undefined) return { directory: there, made: false };
  fs.mkdirSync(parent.at(name), 0o700);
  const directory = parent.openDirectory(name);
  if (directory === undefined) throw new Error('unreachable: a directory that was just made');
  return { directory, made: true };
}

/** `--subpath` of a single file: the target is a directory, and the file keeps its name. */
async function checkOutFile(context: Populate, name: string, checksum: Checksum, path: string): Promise<void> {
  const parent = openDirectory(dirname(path));
  try {
    const { directory } = makeUnlessThere(parent, basename(path));
    try {
      if (directory.lstat(name) !== undefined) {
        if (context.options.existing === 'keep') return;
        if (context.options.existing !== 'replace') throw targetExists(directory.pathOf(name));
        directory.unlink(name);
      }
      await context.placer.place(checksum, directory.at(name));
      if (context.options.fsync) syncFileSystem(directory);
    } finally {
      directory.close();
    }
  } finally {
    parent.close();
  }
}

function targetExists(path: string): OstreeError {
  return new OstreeError('TARGET_EXISTS', `${printable(path)}: exists already`, {
    hint: 'choose a target that does not exist, or --union, --union-add or --union-identical',
    subject: path,
  });
}
