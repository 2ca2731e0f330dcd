/** What this machine and installation can do, and by which means. */

import { findProgram } from '../processes/find-program.ts';
import { systemCalls } from './ffi.ts';
import { koffi } from './koffi.ts';

/**
 * `call`: a system call through koffi. `program`: a program on an inherited descriptor, some milliseconds each time.
 * `link`: link and unlink, which for a moment leaves both names. Undefined: not at all.
 *
 * | capability | without koffi |
 * |---|---|
 * | flock | the `flock` program (util-linux or busybox); both see each other's locks |
 * | ofdLocks | none: a repository is not changed (`NO_OFD_LOCKS`) |
 * | syncfs | the `sync -f` program; without it fsync every file |
 * | exclusiveRename | `link` for files; a directory is refused (EPERM) |
 * | xattrs, mknod | none: a repository or tree that needs them is not written |
 * | nanosecondTimes | none: Node's own calls are exact for whole seconds only |
 * | datagram | none: the journal gets plain lines from standard error |
 */
export interface Capabilities {
  readonly flock: 'call' | 'program' | undefined;
  readonly ofdLocks: 'call' | undefined;
  readonly syncfs: 'call' | 'program' | undefined;
  readonly exclusiveRename: 'call' | 'link';
  readonly xattrs: 'call' | undefined;
  readonly mknod: 'call' | undefined;
  readonly nanosecondTimes: 'call' | undefined;
  readonly datagram: 'call' | undefined;
  /** Why there are no calls, for people; undefined when there are. */
  readonly whyNoCalls: string | undefined;
}

let known: Capabilities | undefined;

/** Looked up once per thread. It loads koffi (8 ms): code that needs one thing asks for that thing. */
export function capabilities(): Capabilities {
  known ??= lookUp();
  return known;
}

function lookUp(): Capabilities {
  const library = koffi();
  const calls = systemCalls();
  const call = calls && 'call';
  const program = (name: string) => (findProgram(name) === undefined ? undefined : 'program');
  return {
    flock: call ?? program('flock'),
    ofdLocks: call,
    syncfs: call ?? program('sync'),
    exclusiveRename: calls?.renameat2 === undefined ? 'link' : 'call',
    xattrs: call,
    mknod: call,
    nanosecondTimes: call,
    datagram: call,
    whyNoCalls: library.kind === 'missing' ? library.reason : undefined,
  };
}
