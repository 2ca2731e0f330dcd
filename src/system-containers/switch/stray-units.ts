/** Units of containers that are broken: nothing tells any more which files of the host belong to them. */
import fs from 'node:fs';
import { printable } from '../../base/text.ts';
import type { Host } from '../host.ts';
import { slotName } from '../names/index.ts';
import { seenFromHost } from '../places/index.ts';

/** Units have kilobytes. */
const LIMIT = 2 ** 20;

/**
 * Does a unit or fragment of the container's name belong to it? It does when it speaks of its deployments, or is the
 * file that lies in one of them; else it may be a package's, and stays.
 */
export function isOurs({ places, log }: Pick<Host, 'places' | 'log'>, name: string, path: string): boolean {
  const text = contentOf(path);
  const isNamed = text?.includes(`${seenFromHost(places, places.checkouts)}/${name}`) ?? false;
  const copies = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((slot) => {
    const directory = `${places.checkouts}/${slotName(name, slot)}`;
    return [`${directory}/${name}.service`, `${directory}/tmpfiles-${name}.conf`];
  });
  if (isNamed || (text !== undefined && copies.some((copy) => contentOf(copy) === text))) return true;
  log.warning(`${printable(path)} does not speak of the container ${name}: left alone`);
  return false;
}

/** One character a byte. */
function contentOf(path: string): string | undefined {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > LIMIT) return undefined;
  return fs.readFileSync(path, 'latin1');
}
