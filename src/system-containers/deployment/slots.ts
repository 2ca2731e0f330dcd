/**
 * Slots and the link as files: a deployment gets its place and loses it by renames, so that there is never half of one.
 * What is on its way in or out is called `.NAME.N.tmp-HEX`. The caller holds the lock of the container.
 */
import { randomBytes } from 'node:crypto';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceLink } from '../../linux/files/durable.ts';
import { removeTree } from '../../linux/files/remove-tree.ts';
import { slotName } from '../names/index.ts';
import type { Places } from '../places/index.ts';

export function temporaryName(name: string, slot: number): string {
  return `.${slotName(name, slot)}.tmp-${randomBytes(4).toString('hex')}`;
}

/** Relative, so that it survives when the whole tree moves; there is never a moment without it. */
export function setActive(places: Places, name: string, slot: number): void {
  within(places, (directory) => {
    replaceLink({ directory, name }, { directory, name: `.${name}.link` }, slotName(name, slot));
  });
}

/** Nothing of that name is fine; what is no link stays. */
export function removeLink(places: Places, name: string): void {
  within(places, (directory) => {
    directory.unlink(`.${name}.link`);
    if (directory.lstat(name)?.isSymbolicLink() !== true) return;
    directory.unlink(name);
    directory.sync();
  });
}

/** Those that are directories: a link of such a name is another container. */
export function removeSlots(places: Places, name: string, slots: readonly number[]): void {
  within(places, (directory) => {
    const moved = slots.flatMap((slot) => {
      if (directory.lstat(slotName(name, slot))?.isDirectory() !== true) return [];
      const temporary = temporaryName(name, slot);
      directory.rename(slotName(name, slot), directory, temporary);
      return [temporary];
    });
    if (moved.length === 0) return;
    directory.sync();
    for (const temporary of moved) removeTree(directory, temporary);
  });
}

/** Give a finished deployment its place; the one that was there goes. Both names are in `directory`. */
export function takePlace(directory: Directory, temporary: string, final: string): void {
  if (directory.lstat(final) === undefined) directory.rename(temporary, directory, final);
  else exchange(directory, temporary, final);
  directory.sync();
  removeTree(directory, temporary);
}

function exchange(directory: Directory, temporary: string, final: string): void {
  const renameat2 = systemCalls()?.renameat2;
  try {
    if (renameat2 !== undefined) {
      renameat2(directory.fd, temporary, directory.fd, final, 'exchange');
      return;
    }
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EINVAL' && code !== 'ENOSYS' && code !== 'EPERM') throw error; // this file system cannot exchange
  }
  // The old one has no name for a moment: nobody needs it any more.
  const away = `${temporary}0`;
  directory.rename(final, directory, away);
  directory.rename(temporary, directory, final);
  removeTree(directory, away);
}

/** What killed runs have left. */
export function sweepLeftovers(places: Places, name: string): void {
  within(places, (directory) => {
    for (const entry of directory.list()) {
      const match = /^\.(.+)\.[0-9]\.tmp-[0-9a-z]+$/s.exec(entry);
      if (match?.[1] === name) removeTree(directory, entry);
    }
    directory.unlink(`.${name}.link`);
  });
}

function within(places: Places, work: (directory: Directory) => void): void {
  let directory: Directory;
  try {
    directory = openDirectory(places.checkouts);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    work(directory);
  } finally {
    directory.close();
  }
}
