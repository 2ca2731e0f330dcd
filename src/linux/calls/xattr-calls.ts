/** Extended attributes. Names are bytes without their NUL, as the kernel and OSTree hold them. */
import { codeOf } from '../../base/error.ts';
import type { Argument, Call } from './koffi.ts';
import { cString, type Path, showPath } from './path-bytes.ts';

/** The `l` calls do not follow a symbolic link, the `f` calls take a descriptor that is open for more than O_PATH. */
export interface XattrCalls {
  /** Undefined when there is none of this name. */
  lgetxattr(path: Path, name: Path): Uint8Array | undefined;
  fgetxattr(fd: number, name: Path): Uint8Array | undefined;
  /** In the kernel's order. A file system without attributes (ENOTSUP) has an empty list. */
  llistxattr(path: Path): Uint8Array[];
  flistxattr(fd: number): Uint8Array[];
  /** Creates or replaces. */
  lsetxattr(path: Path, name: Path, value: Uint8Array): void;
  fsetxattr(fd: number, name: Path, value: Uint8Array): void;
  /** False when there was none of this name. */
  lremovexattr(path: Path, name: Path): boolean;
  fremovexattr(fd: number, name: Path): boolean;
}

export function declareXattrs(declare: (declaration: string) => Call): XattrCalls {
  const by = (prefix: 'l' | 'f', target: string) => ({
    get: declare(`intptr_t ${prefix}getxattr(${target}, const uint8_t *name, _Out_ uint8_t *value, size_t size)`),
    list: declare(`intptr_t ${prefix}listxattr(${target}, _Out_ uint8_t *list, size_t size)`),
    set: declare(`int ${prefix}setxattr(${target}, const uint8_t *name, const uint8_t *value, size_t size, int flags)`),
    remove: declare(`int ${prefix}removexattr(${target}, const uint8_t *name)`),
  });
  const l = by('l', 'const uint8_t *path');
  const f = by('f', 'int fd');
  return {
    lgetxattr: (path, name) => absentWithout('ENODATA', () => grown(l.get, path, cString(name))),
    fgetxattr: (fd, name) => absentWithout('ENODATA', () => grown(f.get, fd, cString(name))),
    llistxattr: (path) => splitNames(absentWithout('ENOTSUP', () => grown(l.list, path))),
    flistxattr: (fd) => splitNames(absentWithout('ENOTSUP', () => grown(f.list, fd))),
    lsetxattr: (path, name, value) => void l.set(shown(path), native(path), cString(name), value, value.length, 0),
    fsetxattr: (fd, name, value) => void f.set(undefined, fd, cString(name), value, value.length, 0),
    lremovexattr: (path, name) =>
      absentWithout('ENODATA', () => l.remove(shown(path), native(path), cString(name))) !== undefined,
    fremovexattr: (fd, name) => absentWithout('ENODATA', () => f.remove(undefined, fd, cString(name))) !== undefined,
  };
}

type Target = Path | number;
const native = (target: Target): Argument => (typeof target === 'number' ? target : cString(target));
const shown = (target: Target): string | undefined => (typeof target === 'number' ? undefined : showPath(target));

/** Most values are short: one call with this much room, and only a longer one asks for its size (64 KiB at most). */
const FIRST_TRY = 256;

/** Call with more and more room until the answer fits: it may grow between asking for its size and reading it. */
function grown(call: Call, target: Target, ...name: readonly Uint8Array[]): Uint8Array {
  const [path, first] = [shown(target), native(target)];
  let room: Uint8Array = Buffer.allocUnsafe(FIRST_TRY); // what is not written to is cut off
  for (;;) {
    try {
      return room.subarray(0, call(path, first, ...name, room, room.length));
    } catch (error) {
      if (codeOf(error) !== 'ERANGE') throw error;
      room = Buffer.alloc(Math.max(1, call(path, first, ...name, null, 0))); // a size of 0 would only ask again
    }
  }
}

/** Undefined when the call says that there is nothing. */
function absentWithout<T>(code: 'ENODATA' | 'ENOTSUP', work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

/** `user.a NUL user.b NUL`. */
function splitNames(list: Uint8Array | undefined): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let rest = list ?? new Uint8Array(); rest.length > 0; ) {
    const end = rest.indexOf(0);
    names.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return names;
}
