/** `--purge`: what a container has kept for itself, `STATE_DIRECTORY/NAME`. */
import { explain } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { removeTree } from '../../linux/files/remove-tree.ts';
import type { Info } from '../deployment/index.ts';
import type { Host } from '../host.ts';

/** Not being able to is told, and no reason to keep the rest. */
export function purgeState(host: Host, name: string, { values }: Pick<Info, 'values'>): void {
  const parent = `${host.places.root}${values.get('STATE_DIRECTORY') ?? host.places.directories.state}`;
  const path = `${parent}/${name}`;
  if (!parent.startsWith('/') || parent.split('/').includes('..')) return;
  const holdsOurs = [host.places.checkouts, host.places.repository].some((ours) => `${ours}/`.startsWith(`${path}/`));
  if (holdsOurs) {
    host.log.warning(`${path} is not deleted: containers lie in it`);
    return;
  }
  try {
    const directory = openDirectory(parent);
    try {
      deleteIn(host, directory, name);
    } finally {
      directory.close();
    }
  } catch (error) {
    host.log.warning(`could not delete ${path}: ${explain(error)}`);
  }
}

function deleteIn({ log }: Host, directory: Directory, name: string): void {
  if (directory.lstat(name)?.isDirectory() !== true) return; // nothing, or not a directory of state
  removeTree(directory, name);
  log.action(`directory ${directory.pathOf(name)} deleted`);
}
