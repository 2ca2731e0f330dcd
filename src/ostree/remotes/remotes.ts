/** The remotes of a repository: those of its `config`, of `remotes.d` where that is in use, and of its parents. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { KeyFile } from '../repository/key-file.ts';
import type { Held } from '../repository/lock.ts';
import { assertRemoteName } from '../repository/ref-names.ts';
import type { Repository } from '../repository/repository.ts';
import { removeKeyring } from './keyring-file.ts';
import { parseRemote, type Remote, remoteGroup, remoteNames } from './remote.ts';
import {
  REMOTES_FOLDER,
  readRemotesFolder,
  remotesFileOf,
  usesRemotesFolder,
  writeRemotesFile,
} from './remotes-folder.ts';

/** @throws OstreeError REMOTE_UNKNOWN, REF_NAME, CONFIG_MALFORMED */
export function readRemote(repository: Repository, name: string, folder = REMOTES_FOLDER): Remote {
  const found = findRemote(repository, assertRemoteName(name), folder);
  if (found !== undefined) return found;
  throw new OstreeError('REMOTE_UNKNOWN', `no remote ${quote(name)}`, {
    hint: 'add it with "ostree-container repo remote add NAME URL"',
    subject: name,
  });
}

/** The repository's own one first, then that of its parent. */
function findRemote(repository: Repository, name: string, folder: string): Remote | undefined {
  for (const file of filesOf(repository, folder)) {
    const remote = parseRemote(file, name);
    if (remote !== undefined) return remote;
  }
  return repository.parent === undefined ? undefined : findRemote(repository.parent, name, folder);
}

/** Sorted by name, those of parents included. */
export function listRemotes(repository: Repository, folder = REMOTES_FOLDER): readonly Remote[] {
  const names = new Set<string>();
  for (let at: Repository | undefined = repository; at !== undefined; at = at.parent) {
    for (const file of filesOf(at, folder)) for (const name of remoteNames(file)) names.add(name);
  }
  return [...names].sort().map((name) => readRemote(repository, name, folder));
}

function filesOf(repository: Repository, folder: string): readonly KeyFile[] {
  if (!usesRemotesFolder(repository)) return [repository.keyFile];
  return [repository.keyFile, ...readRemotesFolder(folder).map(({ file }) => file)];
}

export interface NewRemote {
  readonly name: string;
  /** Keys of its group, in the order in which they are written. */
  readonly settings: readonly (readonly [key: string, value: string])[];
  /** What to do when there is one of this name. */
  readonly existing: 'fail' | 'keep' | 'replace';
}

export interface ChangeOptions {
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly folder?: string | undefined;
}

/**
 * @returns false when there was one, and it was kept
 * @throws OstreeError REMOTE_EXISTS, REF_NAME, CONFIG_MALFORMED
 */
export async function addRemote(
  repository: Repository,
  remote: NewRemote,
  options: ChangeOptions & { readonly dryRun?: boolean | undefined },
): Promise<boolean> {
  const { folder = REMOTES_FOLDER, dryRun = false } = options;
  const name = assertRemoteName(remote.name);
  const group = remoteGroup(name);
  const add = (): boolean => {
    const isThere = findRemote(repository, name, folder) !== undefined;
    if (isThere && remote.existing === 'keep') return false;
    if (isThere && remote.existing === 'fail') {
      throw new OstreeError('REMOTE_EXISTS', `there is a remote ${quote(name)} already`, {
        hint: 'use --force to replace it, or --if-not-exists to keep it',
        subject: name,
      });
    }
    const fill = (file: KeyFile): void => {
      file.removeGroup(group);
      for (const [key, value] of remote.settings) file.set(group, assertKey(key), value);
      parseRemote(file, name); // what could not be read again is not written
    };
    if (dryRun) fill(KeyFile.parse('', name));
    else if (usesRemotesFolder(repository)) {
      const own = remotesFileOf(folder, name);
      fill(own.file);
      writeRemotesFile(folder, own);
      takeOut(repository, name, folder, own.name); // only now: a crash in between loses nothing
    } else repository.updateConfig(fill);
    return true;
  };
  return dryRun ? add() : underLock(repository, options, add);
}

/**
 * Its keyring goes with it; its refs stay.
 * @returns false when there was none; one of a parent is not ours to delete
 */
export async function deleteRemote(repository: Repository, name: string, options: ChangeOptions): Promise<boolean> {
  const { folder = REMOTES_FOLDER } = options;
  assertRemoteName(name);
  return underLock(repository, options, () => {
    const isGone = takeOut(repository, name, folder);
    if (isGone) removeKeyring(repository, name);
    return isGone;
  });
}

/** Of the config and of all files but one. */
function takeOut(repository: Repository, name: string, folder: string, except?: string): boolean {
  const group = remoteGroup(name);
  let isGone = false;
  if (repository.keyFile.hasGroup(group)) {
    repository.updateConfig((file) => {
      isGone = file.removeGroup(group);
    });
  }
  if (!usesRemotesFolder(repository)) return isGone;
  for (const each of readRemotesFolder(folder)) {
    if (each.name === except || !each.file.removeGroup(group)) continue;
    writeRemotesFile(folder, each);
    isGone = true;
  }
  return isGone;
}

/** Keys that a key file can hold, and read again as what they were. */
function assertKey(key: string): string {
  if (/^[A-Za-z0-9][-A-Za-z0-9_.]*$/.test(key)) return key;
  throw new OstreeError('CONFIG_MALFORMED', `${quote(key)} is no key of a remote`, { subject: key });
}

/** Exclusive: two writers would lose each other's changes. */
async function underLock<T>(repository: Repository, options: ChangeOptions, work: () => T): Promise<T> {
  let held: Held | undefined;
  if (repository.config.locking) held = await repository.lock.acquire('exclusive', options);
  try {
    return work();
  } finally {
    held?.release();
  }
}
