/** The unit and the tmpfiles fragment of a container where systemd reads them. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import type { Places } from '../places/places.ts';

export type UnitPlaces = Pick<Places, 'units' | 'tmpfiles'>;

export const unitPath = ({ units }: Pick<Places, 'units'>, name: string): string => `${units}/${name}.service`;

export const fragmentPath = ({ tmpfiles }: Pick<Places, 'tmpfiles'>, name: string): string =>
  `${tmpfiles}/${name}.conf`;

/** Of these, what is there already: a package's, an administrator's, or left by a broken container. */
export function unitFilesInTheWay(places: UnitPlaces, name: string): readonly string[] {
  return [unitPath(places, name), fragmentPath(places, name)].filter(isThere);
}

/** A dangling link, such as a mask, is there, too. */
export function isThere(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Make the file hold exactly this, or make it absent. @returns whether there was something to do */
export function settleFile(path: string, content: Uint8Array | undefined): boolean {
  const [folder, name] = split(path);
  if (content !== undefined) fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!isFolder(folder)) return false;
  const directory = openDirectory(folder);
  try {
    const temporary = { directory, name: `.${name}.tmp` };
    directory.unlink(temporary.name); // of a killed run
    if (content === undefined) return removeFile(directory, name);
    if (holds(path, content)) return false;
    replaceFile({ directory, name }, temporary, content, 0o644);
    return true;
  } finally {
    directory.close();
  }
}

function removeFile(directory: Directory, name: string): boolean {
  const wasThere = directory.unlink(name);
  if (wasThere) directory.sync();
  return wasThere;
}

function holds(path: string, content: Uint8Array): boolean {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size !== content.length) return false;
  return (stats.mode & 0o7777) === 0o644 && fs.readFileSync(path).equals(content);
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function split(path: string): readonly [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
