/** Refs on the disk: `refs/heads/REF`, `refs/remotes/REMOTE/REF`, `refs/mirrors/COLLECTION/REF`. Spec 7.2. */
import { printable, quote } from '../../base/text.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { compareNames } from '../objects/order.ts';
import { within } from './ref-folders.ts';
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
export const DEPTH = 64;
/** Aliases of aliases; more go round in circles. */
const ALIASES = 8;

/** Below the repository. A collection's own refs are heads. */
export function folderOf(repository: Repository, place: RefPlace): string[] {
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
