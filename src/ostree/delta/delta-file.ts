/** A delta on the disk: its superblock, and its parts inside of it or as files beside it. */
import { basename, dirname } from 'node:path';
import { printable } from '../../base/text.ts';
import type { Vardict } from '../../gvariant/index.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import type { Repository } from '../repository/repository.ts';
import { type DeltaName, deltaName, deltaPath } from './names.ts';
import { PAYLOAD_LIMIT } from './part-payload.ts';
import { unwrapSuperblock } from './signed-superblock.ts';
import { decodeSuperblock, type Superblock } from './superblock.ts';

export const SUPERBLOCK = 'superblock';

/** With inline parts; it is read as a whole. */
const FILE_LIMIT = 2 ** 31 - 1;

export interface DeltaFile {
  /** For messages. */
  readonly what: string;
  /** As it is signed. */
  readonly bytes: Uint8Array;
  /** Undefined when it is not signed. Nothing is verified. */
  readonly signatures: Vardict | undefined;
  /** @throws OstreeError DELTA_MALFORMED */
  decode(): Superblock;
  /** The file of a part, or its inline value. @throws OstreeError DELTA_MISSING, DELTA_MALFORMED */
  part(superblock: Superblock, index: number): Uint8Array;
  close(): void;
}

/** @param path the file of a superblock, or a directory with one. @throws OstreeError DELTA_MISSING, DELTA_MALFORMED */
export function openDeltaPath(path: string): DeltaFile {
  const parent = openDirectory(dirname(path));
  let inner: Directory | undefined;
  try {
    const name = basename(path);
    const isDirectory = name === '.' || name === '..' || parent.lstat(name)?.isDirectory() === true;
    if (!isDirectory) return openIn(parent, name, printable(path));
    inner = openDirectory(path);
    parent.close();
    return openIn(inner, SUPERBLOCK, printable(path));
  } catch (error) {
    parent.close();
    inner?.close();
    throw error;
  }
}

/** Undefined when the repository has none of this name. */
export function openDelta(repository: Repository, name: DeltaName): DeltaFile | undefined {
  const directory = openFolder(repository.directory, deltaPath(name).split('/'));
  if (directory === undefined) return undefined;
  try {
    return openIn(directory, SUPERBLOCK, `delta ${deltaName(name)}`);
  } catch (error) {
    directory.close();
    throw error;
  }
}

function openFolder(root: Directory, [first = '', ...rest]: readonly string[]): Directory | undefined {
  const inner = root.openDirectory(first);
  if (inner === undefined || rest.length === 0) return inner;
  try {
    return openFolder(inner, rest);
  } finally {
    inner.close();
  }
}

/** Takes over the directory. */
function openIn(directory: Directory, name: string, what: string): DeltaFile {
  const file = readBounded(directory, name, FILE_LIMIT);
  if (file === undefined) throw missing(directory.pathOf(name));
  const { superblock: bytes, signatures } = unwrapSuperblock(file.bytes, what);
  return {
    what,
    bytes,
    signatures,
    decode: () => decodeSuperblock(bytes, what, FILE_LIMIT),
    part(superblock, index) {
      const inline = superblock.parts[index]?.inline;
      if (inline !== undefined) return inline;
      const part = readBounded(directory, String(index), PAYLOAD_LIMIT);
      if (part === undefined) throw missing(directory.pathOf(String(index)));
      return part.bytes;
    },
    close: () => directory.close(),
  };
}

function missing(path: string): OstreeError {
  return new OstreeError('DELTA_MISSING', `${printable(path)}: no such file of a delta`, { subject: path });
}
