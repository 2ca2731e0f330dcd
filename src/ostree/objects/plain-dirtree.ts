/**
 * The short way to read a `.dirtree` with plain names, which nearly all are. Whoever walks a tree reads thousands of
 * them in a process that is just starting, where each step of the decoder for all types is dear. Everything that is not
 * as expected here is left to that decoder, and so are all refusals.
 *
 * Nothing in this type is aligned, so elements follow each other without padding; an element of at most 255 bytes ends
 * in one byte for each offset, the first member's end last.
 */
import type { DirectoryEntry, DirTree, FileEntry } from './dirtree.ts';

const CHECKSUM = 32;
/** Larger objects have offsets of other widths, or more entries than are decoded at once. */
const LARGEST = 2 ** 24;
/** Printable ASCII without the slash: as text of one byte each, in the order of their bytes. */
const PLAIN = /^[ -.0-~]+$/;

/** Undefined for anything but the normal form of a tree with such names, sorted, none twice. */
export function readPlainDirTree(object: Uint8Array): DirTree | undefined {
  const from = Buffer.from(object.buffer, object.byteOffset, object.length);
  const end = from.length;
  const width = widthOf(end);
  if (end < width || end > LARGEST) return undefined;
  const middle = from.readUIntLE(end - width, width);
  if (middle > end - width || !isSmallest(width, end - width, 1)) return undefined;
  const files: FileEntry[] = [];
  const directories: DirectoryEntry[] = [];
  const areRead =
    eachElement(from, 0, middle, (start, last) => readFile(from, start, last, files)) &&
    eachElement(from, middle, end - width, (start, last) => readDirectory(from, start, last, directories));
  return areRead && areDisjoint(files, directories) ? { files, directories } : undefined;
}

/** `(say)`: name, NUL, checksum, end of the name. */
function readFile(from: Buffer, start: number, end: number, into: FileEntry[]): boolean {
  const middle = end - 1 - CHECKSUM;
  if (from[end - 1] !== middle - start) return false;
  const name = readName(from, start, middle, into);
  if (name === undefined) return false;
  into.push({ name, checksum: from.toString('hex', middle, end - 1) });
  return true;
}

/** `(sayay)`: name, NUL, two checksums, end of the first one, end of the name. */
function readDirectory(from: Buffer, start: number, end: number, into: DirectoryEntry[]): boolean {
  const meta = end - 2 - CHECKSUM;
  const tree = meta - CHECKSUM;
  if (from[end - 1] !== tree - start || from[end - 2] !== meta - start) return false;
  const name = readName(from, start, tree, into);
  if (name === undefined) return false;
  into.push({ name, tree: from.toString('hex', tree, meta), meta: from.toString('hex', meta, end - 2) });
  return true;
}

function readName(from: Buffer, start: number, end: number, before: readonly { name: string }[]): string | undefined {
  if (from[end - 1] !== 0) return undefined;
  const name = from.toString('latin1', start, end - 1);
  const last = before.at(-1);
  if (!PLAIN.test(name) || name === '.' || name === '..') return undefined;
  return last === undefined || last.name < name ? name : undefined;
}

/** False where an array is not in normal form, has elements of more than 255 bytes, or `read` said so. */
function eachElement(from: Buffer, start: number, end: number, read: (start: number, end: number) => boolean): boolean {
  if (start === end) return true;
  const size = end - start;
  const width = widthOf(size);
  if (size < width) return false;
  const body = from.readUIntLE(end - width, width);
  const count = (size - body) / width;
  if (count < 1 || !Number.isInteger(count) || !isSmallest(width, body, count)) return false;
  let offset = 0;
  for (let at = start + body; at < end; at += width) {
    const last = from.readUIntLE(at, width);
    if (last <= offset || last - offset > 255 || last > body) return false;
    if (!read(start + offset, start + last)) return false;
    offset = last;
  }
  return true;
}

function widthOf(size: number): 1 | 2 | 4 {
  return size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
}

/** Would no shorter offsets do for a body of this size? */
function isSmallest(width: 1 | 2 | 4, body: number, count: number): boolean {
  return width === 1 || body + (width / 2) * count > (width === 2 ? 0xff : 0xffff);
}

/** Both lists are sorted. */
function areDisjoint(files: readonly FileEntry[], directories: readonly DirectoryEntry[]): boolean {
  let at = 0;
  for (const { name } of directories) {
    while ((files[at]?.name ?? '') < name && at < files.length) at++;
    if (files[at]?.name === name) return false;
  }
  return true;
}
