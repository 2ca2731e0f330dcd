/** A repository on the disk: its directory held open, its configuration read, its lock at hand. */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import { settledPath } from '../../linux/files/settled-path.ts';
import { OstreeError } from '../error.ts';
import { replaceInRepository } from '../storage/temporary.ts';
import { formatMode, type RepositoryConfig, type RepositoryMode, readConfig } from './config.ts';
import { KeyFile } from './key-file.ts';
import { RepositoryLock } from './lock.ts';

/** A config larger than this is none. */
const CONFIG_LIMIT = 2 ** 20;
/** Repositories that are parents of each other in a circle. */
const PARENT_DEPTH = 8;

export class Repository {
  readonly directory: Directory;
  readonly lock: RepositoryLock;
  /** Searched for objects and refs that are absent here. */
  readonly parent: Repository | undefined;
  #keyFile: KeyFile;
  #root: string | undefined;
  #config: RepositoryConfig;

  constructor(directory: Directory, keyFile: KeyFile, config: RepositoryConfig, parent: Repository | undefined) {
    this.directory = directory;
    this.#keyFile = keyFile;
    this.#config = config;
    this.parent = parent;
    this.lock = new RepositoryLock(directory, config.lockTimeoutMs);
  }

  /** Absolute, for messages. */
  get path(): string {
    return this.directory.path;
  }

  /** For calls, in all threads of the process: the directory that was opened, and no other in its place. */
  get root(): string {
    this.#root ??= settledPath(this.directory.fd) ?? `/proc/self/fd/${this.directory.fd}`;
    return this.#root;
  }

  get config(): RepositoryConfig {
    return this.#config;
  }

  get mode(): RepositoryMode {
    return this.#config.mode;
  }

  /** The whole configuration, for remotes; changed through `updateConfig` only. */
  get keyFile(): KeyFile {
    return this.#keyFile;
  }

  /** Rewrite `config`, keeping what is not changed. Under the repository's lock, as the caller must see to. */
  updateConfig(change: (file: KeyFile) => void): void {
    const file = readKeyFile(this.directory);
    change(file);
    const config = readConfig(file, this.directory.pathOf('config'));
    // It may be for its owner alone: addresses of proxies have passwords in them.
    const mode = (this.directory.lstat('config')?.mode ?? 0o644) & 0o777;
    replaceInRepository(this, { directory: this.directory, name: 'config' }, Buffer.from(file.format()), mode);
    this.#keyFile = file;
    this.#config = config;
  }

  /** A second time does nothing. */
  close(): void {
    this.parent?.close();
    this.directory.close();
  }
}

/** @throws OstreeError NOT_A_REPOSITORY, CONFIG_MALFORMED, REPOSITORY_MODE; SystemError ENOENT */
export function openRepository(path: string): Repository {
  return openWithParents(path, 0);
}

function openWithParents(path: string, depth: number): Repository {
  const directory = openDirectory(path);
  try {
    if (directory.lstat('objects')?.isDirectory() !== true) throw notARepository(directory.path);
    const keyFile = readKeyFile(directory);
    const config = readConfig(keyFile, directory.pathOf('config'));
    return new Repository(directory, keyFile, config, openParent(directory, config, depth));
  } catch (error) {
    directory.close();
    throw error;
  }
}

function openParent(directory: Directory, config: RepositoryConfig, depth: number): Repository | undefined {
  if (config.parent === undefined || config.parent === '') return undefined;
  if (depth >= PARENT_DEPTH) {
    throw new OstreeError('CONFIG_MALFORMED', `${printable(directory.path)}: more than ${PARENT_DEPTH} parents`);
  }
  return openWithParents(resolve(directory.path, config.parent), depth + 1);
}

function readKeyFile(directory: Directory): KeyFile {
  const file = readBounded(directory, 'config', CONFIG_LIMIT);
  if (file === undefined) throw notARepository(directory.path);
  const text = decodeUtf8(file.bytes);
  if (text === undefined) {
    throw new OstreeError('CONFIG_MALFORMED', `${printable(directory.pathOf('config'))}: not UTF-8`);
  }
  return KeyFile.parse(text, directory.pathOf('config'));
}

function notARepository(path: string): OstreeError {
  return new OstreeError('NOT_A_REPOSITORY', `${printable(path)}: not an OSTree repository`, {
    hint: 'make one with "ostree-container repo init --repo=PATH"',
    subject: path,
  });
}

export interface CreateOptions {
  readonly mode: RepositoryMode;
  readonly collectionId?: string | undefined;
  /** Look, and change nothing. */
  readonly dryRun?: boolean | undefined;
}

/** `objects` comes last: its presence is what makes a repository. */
const FOLDERS = ['tmp', 'extensions', 'state', 'refs', 'refs/heads', 'refs/mirrors', 'refs/remotes', 'objects'];

/**
 * Make a repository, also in an existing directory; one that is there already stays as it is.
 * @returns false when there was one
 * @throws OstreeError REPOSITORY_EXISTS when there is one of another mode
 */
export function createRepository(path: string, { mode, collectionId, dryRun = false }: CreateOptions): boolean {
  if (mode === 'bare-split-xattrs') {
    throw new OstreeError('REPOSITORY_MODE', 'repositories of mode bare-split-xattrs are read only');
  }
  if (dryRun && !fs.existsSync(path)) return true;
  makeDirectories(resolve(path));
  const directory = openDirectory(path);
  try {
    if (directory.lstat('objects') !== undefined) return assertSameMode(directory, mode);
    if (dryRun) return true;
    // A config without objects: what a killed run has begun, or somebody else's, which is not ours to replace.
    if (directory.lstat('config') !== undefined) assertSameMode(directory, mode);
    else writeFirstConfig(directory, mode, collectionId);
    for (const folder of FOLDERS) makeFolder(directory, folder);
    directory.sync();
    return true;
  } finally {
    directory.close();
  }
}

function writeFirstConfig(directory: Directory, mode: RepositoryMode, collectionId: string | undefined): void {
  const collection = collectionId === undefined ? '' : `collection-id=${collectionId}\n`;
  const text = `[core]\nrepo_version=1\nmode=${formatMode(mode)}\n${collection}`;
  readConfig(KeyFile.parse(text, 'config'), directory.pathOf('config'));
  const temporary = { directory, name: '.config.new' };
  replaceFile({ directory, name: 'config' }, temporary, Buffer.from(text), 0o644);
}

function assertSameMode(directory: Directory, mode: RepositoryMode): false {
  const found = readConfig(readKeyFile(directory), directory.pathOf('config')).mode;
  if (found === mode) return false;
  throw new OstreeError('REPOSITORY_EXISTS', `${printable(directory.path)}: is a repository of mode ${found} already`, {
    subject: directory.path,
  });
}

function makeFolder(directory: Directory, folder: string): void {
  let at = directory;
  for (const part of folder.split('/')) {
    const next = at.makeDirectory(part, 0o775);
    if (at !== directory) at.close();
    at = next;
  }
  at.close();
}

/** The directories above may be missing, too. */
function makeDirectories(path: string): void {
  try {
    fs.mkdirSync(path, 0o775);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectories(dirname(path));
    fs.mkdirSync(path, 0o775);
  }
}
