/**
 * A directory and everything in it, taken away without following links and without leaving its file system: what is
 * mounted in it belongs to somebody else. Names are bytes: programs write some that are no UTF-8.
 */
import fs from 'node:fs';
import { CodedError, codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../calls/system-error.ts';
import type { Directory } from './directory.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** As many as there are descriptors for, on most systems. */
const DEEPEST = 900;
/** Others may still add to it. */
const ATTEMPTS = 10;

/** Also a file or a link. False when there is nothing of that name. @throws CodedError MOUNTED, TOO_LARGE */
export function removeTree(parent: Directory, name: string): boolean {
  const stats = parent.lstat(name);
  if (stats === undefined) return false;
  if (!stats.isDirectory()) return parent.unlink(name);
  const device = parent.stat().dev;
  removeDirectory({ at: Buffer.from(parent.at(name)), path: parent.pathOf(name), device, depth: 0 });
  return true;
}

interface Doomed {
  /** For calls: through the descriptor of the directory that it is in. */
  readonly at: Buffer;
  /** For messages. */
  readonly path: string;
  readonly device: number;
  readonly depth: number;
}

function removeDirectory(doomed: Doomed): void {
  const { at, path, depth } = doomed;
  if (depth > DEEPEST) throw new CodedError('TOO_LARGE', `${printable(path)}: too many directories below each other`);
  for (let attempt = 1; ; attempt++) {
    empty(doomed);
    try {
      naming(path, () => ifThere(() => fs.rmdirSync(at)));
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY' || attempt === ATTEMPTS) throw error;
    }
  }
}

function empty({ at, path, device, depth }: Doomed): void {
  const fd = naming(path, () => openWritable(at));
  if (fd === undefined) return;
  try {
    if (fs.fstatSync(fd).dev !== device) {
      throw new CodedError('MOUNTED', `${printable(path)}: something is mounted there`, {
        hint: `umount ${printable(path)}`,
        subject: path,
      });
    }
    const inside = `/proc/self/fd/${fd}`;
    for (const entry of naming(path, () => fs.readdirSync(inside, { encoding: 'buffer', withFileTypes: true }))) {
      const below = Buffer.concat([Buffer.from(`${inside}/`), entry.name]);
      const shown = `${path}/${entry.name.toString()}`;
      if (entry.isDirectory()) removeDirectory({ at: below, path: shown, device, depth: depth + 1 });
      else naming(shown, () => ifThere(() => fs.unlinkSync(below)));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Images have directories that their owner may not write, or not even read; for root that makes no difference. */
function openWritable(at: Buffer): number | undefined {
  return ifThere(() => {
    if (process.geteuid?.() !== 0 && (fs.lstatSync(at).mode & 0o700) !== 0o700) fs.chmodSync(at, 0o700);
    return fs.openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
  });
}

/** Undefined when it is gone already. */
function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
