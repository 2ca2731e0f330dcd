/**
 * Hard links to objects by the shortest way: two calls by descriptor for a file. Whatever does not end in a link is left
 * to the caller, who looks again: copies, what is absent, and links that the file system refuses.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import type { Checksum } from '../objects/checksum.ts';
import { S_IFLNK, S_IFMT, S_IFREG } from '../objects/file-header.ts';
import { objectPath } from '../objects/object-type.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { readMeta } from '../storage/bare-user.ts';
import type { ObjectPlace } from '../storage/object-reader.ts';

export interface ObjectLinker {
  /** Give the object this name in an open directory. False: nothing was made. @throws SystemError EEXIST */
  link(checksum: Checksum, directory: number, name: string): boolean;
  close(): void;
}

/** Undefined where there are no such calls, or no links from the first place to look in. */
export function openLinker(places: readonly ObjectPlace[], userMode: boolean): ObjectLinker | undefined {
  const calls = systemCalls();
  const lookAt = calls?.lookAt;
  const end = places.findIndex(({ mode }) => !canLink(mode, userMode));
  const linkable = end === -1 ? places : places.slice(0, end);
  if (calls === undefined || lookAt === undefined || linkable.length === 0) return undefined;
  const opened = linkable.map((place) => ({ ...place, fd: openPlace(place) }));
  return {
    link(checksum, directory, name) {
      const object = objectPath(checksum, 'file');
      for (const { mode, path, fd } of opened) {
        const look = lookAt(fd, object);
        if (look === undefined) continue;
        return (
          isLinkable(mode, `${path}/${object}`, look) &&
          unlessRefused(() => calls.linkat(fd, object, directory, name)) === undefined
        );
      }
      return false;
    },
    close() {
      for (const { fd } of opened.splice(0)) fs.closeSync(fd);
    },
  };
}

function openPlace({ path }: ObjectPlace): number {
  return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
}

/** In these modes an object is just how a checkout of this kind wants it. */
export function canLink(mode: RepositoryMode, userMode: boolean): boolean {
  return mode === 'bare' ? !userMode : (mode === 'bare-user' || mode === 'bare-user-only') && userMode;
}

/**
 * Empty files would run into the limit of links. In the modes of users, links are made anew, and what is made readable.
 * @param stats of the object's own file, as of stat(2)
 */
export function isLinkable(mode: RepositoryMode, path: string, stats: { mode: number; size: number }): boolean {
  const isFile = (stats.mode & S_IFMT) === S_IFREG;
  if (isFile && stats.size === 0) return false;
  if (mode === 'bare') return true;
  if (mode === 'bare-user-only') return isFile && (stats.mode & 0o400) !== 0;
  const meta = readMeta(path, path);
  return (meta.mode & S_IFMT) !== S_IFLNK && (meta.mode & 0o400) !== 0;
}

/** The error of a refusal for which a copy can stand in: too many links, another file system, a forbidden link. */
export function unlessRefused(link: () => void): unknown {
  try {
    link();
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EMLINK' && code !== 'EXDEV' && code !== 'EPERM') throw error;
    return error;
  }
}
