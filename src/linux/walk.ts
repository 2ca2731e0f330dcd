/** A path to a descriptor, one component at a time, so that nobody can lead us elsewhere by swapping in a link. */
import fs from 'node:fs';
import { CodedError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { callerId } from './owner.ts';
import { errnoOf, naming, SystemError } from './system-error.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
/** Not in `fs.constants`; the same on every architecture that Node has binaries for. */
const O_PATH = 0x200000;
/** As many as the kernel follows. */
const LINK_LIMIT = 40;

type Step = { readonly kind: 'directory'; readonly fd: number } | { readonly kind: 'link'; readonly target: string };

/**
 * Open the directory that `path` names, for reading. A symbolic link on the way is followed only where no other
 * ordinary user could have put it or could change it; `..` is the real parent, as for the kernel.
 * @throws CodedError NOT_A_DIRECTORY, UNSAFE_LINK, NO_PROC; SystemError (ENOENT, EACCES, ELOOP ...) naming the path
 */
export function walkTo(path: string): number {
  if (path === '') throw new SystemError(errnoOf('ENOENT'), 'open', path);
  let here = openStart(path);
  try {
    const pending = components(path).reverse();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const step = enter(here, name);
      let next: number | undefined;
      if (step.kind === 'directory') {
        next = step.fd;
      } else {
        if (++links > LINK_LIMIT) throw new SystemError(errnoOf('ELOOP'), 'open', path);
        if (step.target.startsWith('/')) next = openStart(step.target);
        pending.push(...components(step.target).reverse());
      }
      if (next !== undefined) {
        fs.closeSync(here);
        here = next;
      }
    }
    return naming(path, () => fs.openSync(`/proc/self/fd/${here}`, O_RDONLY | O_DIRECTORY));
  } finally {
    fs.closeSync(here);
  }
}

function openStart(path: string): number {
  const start = path.startsWith('/') ? '/' : '.';
  return naming(start, () => fs.openSync(start, O_PATH | O_DIRECTORY));
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function enter(parent: number, name: string): Step {
  const shown = () => `${fs.readlinkSync(`/proc/self/fd/${parent}`).replace(/\/$/, '')}/${name}`;
  const fd = openComponent(parent, name, shown);
  let stats: fs.Stats | undefined;
  try {
    stats = fs.fstatSync(fd);
  } finally {
    if (!stats?.isDirectory()) fs.closeSync(fd);
  }
  if (stats.isDirectory()) return { kind: 'directory', fd };
  if (!stats.isSymbolicLink()) throw notADirectory(shown());
  assertTrustedLink(fs.fstatSync(parent), stats, shown);
  // Nobody else can have replaced the link between the two calls: that is what was just asserted.
  return { kind: 'link', target: naming(shown, () => fs.readlinkSync(`/proc/self/fd/${parent}/${name}`)) };
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
