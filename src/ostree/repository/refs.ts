/** Refs on the disk: `refs/heads/REF`, `refs/remotes/REMOTE/REF`, `refs/mirrors/COLLECTION/REF`. Spec 7.2. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable, quote } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { replaceLink } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { compareNames } from '../objects/order.ts';
import { replaceInRepository, TEMPORARY, withTemporary } from '../storage/temporary.ts';
import { inMadeFolders, within } from './ref-folders.ts';
import { assertRefName, assertRemoteName, isCollectionId, isRefName } from './ref-names.ts';
import type { Repository } from './repository.ts';

/** Where a ref lies. */
export type RefPlace =
  | { readonly kind: 'head' }
  | { readonly kind: 'remote'; readonly remote: string }
  | { readonly kind: 'mirror'; readonly collection: string };

export interface RefChange {
  readonly place: RefPlace;
  readonly ref: string;
  /** Undefined: remove it. */
  readonly commit: Checksum | undefined;
}

export interface Ref {
  readonly place: RefPlace;
  readonly ref: string;
  readonly commit: Checksum;
  /** The ref of the same folder that this one is another name for. */
  readonly alias: string | undefined;
}

export const HEAD: RefPlace = { kind: 'head' };

/** A ref file holds 65 bytes. */
const REF_LIMIT = 256;
/** Parts of a ref's name: each is a directory that is open while those below it are looked at. */
const DEPTH = 64;
/** Aliases of aliases; more go round in circles. */
const ALIASES = 8;

/** Below the repository. A collection's own refs are heads. */
function folderOf(repository: Repository, place: RefPlace): string[] {
  switch (place.kind) {
    case 'head':
      return ['refs', 'heads'];
    case 'remote':
      return ['refs', 'remotes', assertRemoteName(place.remote)];
    case 'mirror':
      if (place.collection === repository.config.collectionId) return ['refs', 'heads'];
      if (!isCollectionId(place.collection)) {
        throw new OstreeError('REF_NAME', `${quote(place.collection)} is no collection id`);
      }
      return ['refs', 'mirrors', place.collection];
  }
}

/** How a ref is written on the command line. */
export function refspecOf({ place, ref }: Pick<Ref, 'place' | 'ref'>): string {
  return place.kind === 'remote' ? `${place.remote}:${ref}` : ref;
}

/** Undefined when there is none; of the repository itself only, not of its parent. @throws OstreeError REF_NAME */
export function readRef(repository: Repository, place: RefPlace, ref: string): Checksum | undefined {
  return readFollowing(repository, place, ref, 0);
}

/** @param depth aliases followed so far */
function readFollowing(repository: Repository, place: RefPlace, ref: string, depth: number): Checksum | undefined {
  const parts = [...folderOf(repository, place), ...assertRefName(ref).split('/')];
  return within(repository.directory, parts.slice(0, -1), (directory) => {
    const name = parts.at(-1) ?? '';
    const entry = directory.lstat(name);
    if (entry?.isSymbolicLink() === true) {
      const target = resolveAlias(ref, directory.readLink(name) ?? '');
      if (target === undefined || depth >= ALIASES) throw badAlias(ref);
      return readFollowing(repository, place, target, depth + 1);
    }
    if (entry === undefined || entry.isDirectory()) return undefined;
    return parseRef(readBounded(directory, name, REF_LIMIT)?.bytes, directory.pathOf(name));
  });
}

function badAlias(ref: string): OstreeError {
  return new OstreeError('REF_NAME', `ref ${printable(ref)}: an alias that leads to no ref of its folder`, {
    subject: ref,
  });
}

/** An alias leads to another ref of its folder, by a relative path that does not leave the folder. */
function resolveAlias(ref: string, target: string): string | undefined {
  const parts = ref.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  const resolved = parts.join('/');
  return target.startsWith('/') || !isRefName(resolved) || resolved === ref ? undefined : resolved;
}

/** All refs of the repository itself, by place and name. */
export function listRefs(repository: Repository): Ref[] {
  const found = listIn(repository, HEAD);
  for (const remote of remotesWithRefs(repository)) found.push(...listIn(repository, { kind: 'remote', remote }));
  for (const collection of foldersIn(repository, 'mirrors')) {
    if (isCollectionId(collection) && collection !== repository.config.collectionId) {
      found.push(...listIn(repository, { kind: 'mirror', collection }));
    }
  }
  return found;
}

export function listIn(repository: Repository, place: RefPlace): Ref[] {
  const found: Ref[] = [];
  const visit = (directory: Directory, prefix: string, depth: number): void => {
    // Left out of the list their commits would be pruned.
    if (depth >= DEPTH)
      throw new OstreeError('TOO_LARGE', `${printable(directory.path)}: refs of more than ${DEPTH} parts`);
    for (const name of directory.list()) {
      const ref = `${prefix}${name}`;
      if (!isRefName(ref)) continue; // temporary names begin with a dot
      const entry = directory.lstat(name);
      if (entry?.isDirectory() === true) {
        const inner = directory.openDirectory(name);
        if (inner === undefined) continue;
        try {
          visit(inner, `${ref}/`, depth + 1);
        } finally {
          inner.close();
        }
      } else if (entry !== undefined) {
        const commit = readRef(repository, place, ref);
        const link = entry.isSymbolicLink() ? directory.readLink(name) : undefined;
        const alias = link === undefined ? undefined : resolveAlias(ref, link);
        if (commit !== undefined) found.push({ place, ref, commit, alias });
      }
    }
  };
  within(repository.directory, folderOf(repository, place), (directory) => visit(directory, '', 0));
  return found.sort((a, b) => compareNames(a.ref, b.ref));
}

/** Remotes that have, or had, refs here. */
export function remotesWithRefs(repository: Repository): string[] {
  return foldersIn(repository, 'remotes');
}

function foldersIn(repository: Repository, kind: 'remotes' | 'mirrors'): string[] {
  const names = within(repository.directory, ['refs', kind], (directory) =>
    directory.list().filter((name) => directory.lstat(name)?.isDirectory() === true),
  );
  return (names ?? []).sort(compareNames);
}

/** Several at once; afterwards the repository's own time is renewed, by which other processes notice. */
export function writeRefs(repository: Repository, changes: readonly RefChange[], fsync: boolean): void {
  for (const change of changes) {
    if (change.commit === undefined) removeRef(repository, change.place, change.ref, fsync);
    else writeRef(repository, change.place, change.ref, change.commit, fsync);
  }
  if (changes.length > 0) touch(repository);
}

function writeRef(repository: Repository, place: RefPlace, ref: string, commit: Checksum, fsync: boolean): void {
  const parts = [...folderOf(repository, place), ...assertNewName(ref).split('/')];
  inMadeFolders(repository.directory, parts.slice(0, -1), fsync, (directory) => {
    const name = parts.at(-1) ?? '';
    makeRoom(directory, name, ref);
    const text = Buffer.from(`${commit}\n`);
    if (fsync) return replaceInRepository(repository, { directory, name }, text, 0o644);
    withTemporary(repository, (temporary) => {
      naming(directory.pathOf(name), () => {
        fs.writeFileSync(temporary.at(TEMPORARY), text, { flag: 'wx' });
        fs.chmodSync(temporary.at(TEMPORARY), 0o644); // whatever the umask
      });
      temporary.rename(TEMPORARY, directory, name);
    });
  });
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

/** False when there was none. */
export function removeRef(repository: Repository, place: RefPlace, ref: string, fsync = true): boolean {
  const parts = [...folderOf(repository, place), ...assertRefName(ref).split('/')];
  const removed = within(repository.directory, parts.slice(0, -1), (directory) => {
    const name = parts.at(-1) ?? '';
    if (directory.lstat(name)?.isDirectory() === true) return false; // refs below this name are not this ref
    const isThere = directory.unlink(name);
    if (isThere && fsync) directory.sync();
    return isThere;
  });
  return removed ?? false;
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

export function refMissing(ref: string): OstreeError {
  return new OstreeError('REF_MISSING', `no ref ${quote(ref)}`, { subject: ref });
}

function parseRef(bytes: Uint8Array | undefined, path: string): Checksum | undefined {
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString('latin1').trimEnd();
  if (!isChecksum(text)) {
    throw new OstreeError('OBJECT_MALFORMED', `${printable(path)}: expected a checksum, found ${quote(text)}`, {
      hint: 'remove the file, or write the ref again',
      subject: path,
    });
  }
  return text;
}
