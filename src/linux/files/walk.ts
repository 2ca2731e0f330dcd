/** A path to a descriptor, one component at a time, so that nobody can lead us elsewhere by swapping in a link. */
import fs from 'node:fs';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { errnoOf, naming, SystemError } from '../calls/system-error.ts';
import { callerId } from './owner.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
/** Not in `fs.constants`; the same on every architecture that Node has binaries for. */
const O_PATH = 0x200000;
/** As many as the kernel follows. */
const LINK_LIMIT = 40;

/**
 * An `O_PATH` descriptor is only good for looking at and going on from, so finding one has no effect on a device or
 * FIFO; `stats` are of the very thing that it stands for.
 */
interface Found {
  readonly fd: number;
  readonly stats: fs.Stats;
}
type Step = (Found & { readonly kind: 'found' }) | { readonly kind: 'link'; readonly target: string };

/**
 * Open the directory that `path` names, for reading. A symbolic link on the way is followed only where no other
 * ordinary user could have put it or could change it; `..` is the real parent, as for the kernel.
 * @throws CodedError NOT_A_DIRECTORY, UNSAFE_LINK, NO_PROC; SystemError (ENOENT, EACCES, ELOOP ...) naming the path
 */
export function openDirectoryPath(path: string): number {
  return reopen(path, O_RDONLY | O_DIRECTORY, (stats) => {
    if (!stats.isDirectory()) throw notADirectory(path);
  }).fd;
}

/** The same for a regular file, for reading. @throws CodedError NOT_A_REGULAR_FILE and as `openDirectoryPath` */
export function openFilePath(path: string): { readonly fd: number; readonly stats: fs.Stats } {
  return reopen(path, O_RDONLY, (stats) => {
    if (!stats.isFile() || path.endsWith('/')) throw notARegularFile(path);
  });
}

function reopen(path: string, flags: number, judge: (stats: fs.Stats) => void): Found {
  const { fd, stats } = walk(path);
  try {
    judge(stats);
    return { fd: naming(path, () => fs.openSync(`/proc/self/fd/${fd}`, flags)), stats };
  } finally {
    fs.closeSync(fd);
  }
}

function walk(path: string): Found {
  if (path === '') throw new SystemError(errnoOf('ENOENT'), 'open', path);
  let here = openStart(path);
  try {
    const pending = components(path).reverse();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (!here.stats.isDirectory()) throw notADirectory(pathOf(here.fd));
      const step = enter(here, name);
      let next: Found | undefined;
      if (step.kind === 'found') {
        next = step;
      } else {
        if (++links > LINK_LIMIT) throw new SystemError(errnoOf('ELOOP'), 'open', path);
        if (step.target.startsWith('/')) next = openStart(step.target);
        pending.push(...components(step.target).reverse());
      }
      if (next !== undefined) {
        fs.closeSync(here.fd);
        here = next;
      }
    }
    return here;
  } catch (error) {
    fs.closeSync(here.fd);
    throw error;
  }
}

function openStart(path: string): Found {
  const start = path.startsWith('/') ? '/' : '.';
  const fd = naming(start, () => fs.openSync(start, O_PATH | O_DIRECTORY));
  return { fd, stats: fs.fstatSync(fd) };
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Where the kernel sees it now; for messages. */
function pathOf(fd: number): string {
  return fs.readlinkSync(`/proc/self/fd/${fd}`);
}

function enter(parent: Found, name: string): Step {
  const shown = () => `${pathOf(parent.fd).replace(/\/$/, '')}/${name}`;
  const fd = openComponent(parent.fd, name, shown);
  const stats = fs.fstatSync(fd);
  if (!stats.isSymbolicLink()) return { kind: 'found', fd, stats };
  fs.closeSync(fd);
  assertTrustedLink(fs.fstatSync(parent.fd), stats, shown);
  // Nobody else can have replaced the link between the two calls: that is what was just asserted.
  return { kind: 'link', target: naming(shown, () => fs.readlinkSync(`/proc/self/fd/${parent.fd}/${name}`)) };
}

function openComponent(parent: number, name: string, shown: () => string): number {
  return naming(shown, () => {
    try {
      return fs.openSync(`/proc/self/fd/${parent}/${name}`, O_PATH | O_NOFOLLOW);
    } catch (error) {
      if (fs.existsSync('/proc/self/fd')) throw error;
      throw new CodedError('NO_PROC', '/proc is not mounted', { cause: error, subject: '/proc' });
    }
  });
}

export function notADirectory(path: string): CodedError {
  return new CodedError('NOT_A_DIRECTORY', `${printable(path)}: not a directory`, { subject: path });
}

export function notARegularFile(path: string): CodedError {
  return new CodedError('NOT_A_REGULAR_FILE', `${printable(path)}: not a regular file`, { subject: path });
}

/** Of a sticky directory only the owners of an entry and of the directory itself can take the entry away. */
function assertTrustedLink(directory: fs.Stats, link: fs.Stats, shown: () => string): void {
  const trusted = (uid: number) => uid === 0 || uid === callerId();
  const isShared = (directory.mode & 0o022) !== 0;
  const isSticky = (directory.mode & 0o1000) !== 0;
  if (trusted(directory.uid) && (!isShared || (isSticky && trusted(link.uid)))) return;
  const path = shown();
  throw new CodedError('UNSAFE_LINK', `${printable(path)}: a symbolic link that another user could change`, {
    hint: 'name the directory itself, without the link',
    subject: path,
  });
}
