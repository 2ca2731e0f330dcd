/**
 * Refs changed on the disk, several at once: all new files are written below `tmp/`, flushed together and renamed in
 * the order of the changes; then each folder is flushed once. Whoever is killed leaves every ref old or new.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { capabilities } from '../../linux/calls/capabilities.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { replaceLink, writeAll } from '../../linux/files/durable.ts';
import { syncFileSystem } from '../../linux/files/flush.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { TEMPORARY, withTemporary } from '../storage/temporary.ts';
import { inMadeFolders, within } from './ref-folders.ts';
import { assertRefName } from './ref-names.ts';
import { DEPTH, folderOf, HEAD, type RefChange, type RefPlace, readRef, refMissing } from './refs.ts';
import type { Repository } from './repository.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

/** A change as far as it was looked up. */
interface Placed {
  readonly ref: string;
  /** Below the repository. */
  readonly folder: readonly string[];
  readonly name: string;
  /** Of the new file, below the temporary folder; undefined: the ref goes. */
  readonly staged: string | undefined;
}

/**
 * Afterwards the repository's own time is renewed, by which other processes notice. A bad name among the changes is
 * found before the first of them is made.
 * @throws OstreeError REF_NAME, REF_EXISTS; SystemError, DISK_FULL
 */
export function writeRefs(repository: Repository, changes: readonly RefChange[], fsync: boolean): void {
  const placed = changes.map((change, i) => placedIn(repository, change, i));
  if (placed.some(({ staged }) => staged !== undefined)) {
    withTemporary(repository, (temporary) => {
      try {
        stage(repository, temporary, changes, fsync);
        makeVisible(repository, temporary, placed, fsync);
      } catch (error) {
        removeStaged(temporary, placed);
        throw error;
      }
    });
  } else makeVisible(repository, undefined, placed, fsync);
  if (changes.length > 0) touch(repository);
}

function placedIn(repository: Repository, { place, ref, commit }: RefChange, i: number): Placed {
  const parts = [
    ...folderOf(repository, place),
    ...(commit === undefined ? assertRefName : assertNewName)(ref).split('/'),
  ];
  const name = parts.pop() ?? '';
  return { ref, folder: parts, name, staged: commit === undefined ? undefined : stagedName(i) };
}

function stagedName(i: number): string {
  return `.ref-${i}`;
}

/** A flush of each file takes as long as one of them all. */
function stage(repository: Repository, temporary: Directory, changes: readonly RefChange[], fsync: boolean): void {
  const isOne = changes.filter(({ commit }) => commit !== undefined).length === 1;
  const isFlushedWhole = fsync && !isOne && capabilities().syncfs !== undefined;
  for (const [i, { commit }] of changes.entries()) {
    if (commit !== undefined) writeNew(temporary, stagedName(i), commit, fsync && !isFlushedWhole);
  }
  if (isFlushedWhole) syncFileSystem(repository.directory);
}

function writeNew(temporary: Directory, name: string, commit: Checksum, fsync: boolean): void {
  temporary.unlink(name); // of a killed run
  const fd = temporary.openFile(name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    naming(temporary.pathOf(name), () => {
      writeAll(fd, Buffer.from(`${commit}\n`));
      fs.fchmodSync(fd, 0o644); // whatever the umask
      if (fsync) fs.fsyncSync(fd);
    });
  } finally {
    fs.closeSync(fd);
  }
}

/** The folder itself stays where it holds objects of a killed run. */
function removeStaged(temporary: Directory, placed: readonly Placed[]): void {
  try {
    for (const { staged } of placed) if (staged !== undefined) temporary.unlink(staged);
  } catch {
    // The error that brought us here is the one to report; the names are taken again by the next run.
  }
}

function makeVisible(
  repository: Repository,
  temporary: Directory | undefined,
  placed: readonly Placed[],
  fsync: boolean,
): void {
  const touched = new Map<string, readonly string[]>();
  for (const { ref, folder, name, staged } of placed) {
    if (staged === undefined) {
      if (!unlinkRef(repository, folder, name)) continue;
    } else if (temporary !== undefined) {
      inMadeFolders(repository.directory, folder, fsync, (directory) => {
        makeRoom(directory, name, ref);
        temporary.rename(staged, directory, name);
      });
    }
    touched.set(folder.join('/'), folder);
  }
  if (!fsync) return;
  // What has made room for another ref needs no flush: that ref's folder is above it.
  for (const folder of touched.values()) within(repository.directory, folder, (directory) => directory.sync());
  temporary?.sync();
}

/** False when there was none. */
export function removeRef(repository: Repository, place: RefPlace, ref: string, fsync = true): boolean {
  const folder = [...folderOf(repository, place), ...assertRefName(ref).split('/')];
  const isRemoved = unlinkRef(repository, folder.slice(0, -1), folder.at(-1) ?? '');
  if (isRemoved && fsync) within(repository.directory, folder.slice(0, -1), (directory) => directory.sync());
  return isRemoved;
}

function unlinkRef(repository: Repository, folder: readonly string[], name: string): boolean {
  const isRemoved = within(repository.directory, folder, (directory) => {
    if (directory.lstat(name)?.isDirectory() === true) return false; // refs below this name are not this ref
    return directory.unlink(name);
  });
  return isRemoved ?? false;
}

/** @throws OstreeError REF_NAME */
function assertNewName(ref: string): string {
  if (assertRefName(ref).split('/').length <= DEPTH) return ref;
  throw new OstreeError('REF_NAME', `ref ${printable(ref)}: more than ${DEPTH} parts`, { subject: ref });
}

/** Another name for a ref of the same folder. @throws OstreeError REF_MISSING */
export function writeAlias(repository: Repository, ref: string, target: string): void {
  if (readRef(repository, HEAD, target) === undefined) throw refMissing(target);
  const parts = ['refs', 'heads', ...assertNewName(ref).split('/')];
  inMadeFolders(repository.directory, parts.slice(0, -1), true, (directory) => {
    const name = parts.at(-1) ?? '';
    makeRoom(directory, name, ref);
    const up = '../'.repeat(ref.split('/').length - 1);
    withTemporary(repository, (temporary) =>
      replaceLink({ directory, name }, { directory: temporary, name: TEMPORARY }, `${up}${target}`),
    );
  });
  touch(repository);
}

/** A directory without refs in the place of a ref goes. @throws OstreeError REF_EXISTS when it holds refs */
function makeRoom(directory: Directory, name: string, ref: string): void {
  if (directory.lstat(name)?.isDirectory() !== true) return;
  const inner = directory.openDirectory(name);
  if (inner === undefined) return;
  try {
    for (const each of inner.list()) {
      if (inner.lstat(each)?.isDirectory() !== true) {
        if (each.startsWith('.') && inner.unlink(each)) continue; // what a killed run left
        throw new OstreeError('REF_EXISTS', `ref ${printable(ref)}: there are refs below this name`, { subject: ref });
      }
      makeRoom(inner, each, ref);
    }
  } finally {
    inner.close();
  }
  directory.removeDirectory(name);
}

function touch(repository: Repository): void {
  const { directory } = repository;
  const now = Date.now() / 1000;
  try {
    naming(repository.path, () => fs.futimesSync(directory.fd, now, now));
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    // Only the owner may set a time; who may write there can still change the directory, which renews it as well.
    fs.closeSync(directory.openFile('.touch', fs.constants.O_CREAT | fs.constants.O_WRONLY, 0o600));
    directory.unlink('.touch');
  }
}
