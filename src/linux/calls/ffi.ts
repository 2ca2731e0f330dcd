/**
 * System calls that Node does not have. All are there or none (`systemCalls` is undefined without koffi), except
 * `renameat2`, which older musl lacks. Every path and name may be bytes: file names need not be UTF-8.
 * They fail with a `SystemError`; who may be refused (a lock) gets a boolean.
 */
import { constants } from 'node:os';
import { codeOf } from '../../base/error.ts';
import { type DirectoryCalls, declareDirectoryCalls } from './directory-calls.ts';
import { type Declare, koffi } from './koffi.ts';
import { cString, type Path, showPath } from './path-bytes.ts';
import { SystemError } from './system-error.ts';
import { declareXattrs, type XattrCalls } from './xattr-calls.ts';

export type { Path } from './path-bytes.ts';
export type LockKind = 'shared' | 'exclusive' | 'unlock';

/** `RENAME_NOREPLACE`, `RENAME_EXCHANGE`. */
export type RenameMode = 'no-replace' | 'exchange';

export interface FileTimes {
  /** Nanoseconds since the epoch; undefined leaves the time as it is. */
  readonly accessNs?: bigint | undefined;
  readonly modifyNs?: bigint | undefined;
}

export interface SystemCalls extends XattrCalls, DirectoryCalls {
  /** flock(2) without waiting; false: somebody else holds it. */
  flock(fd: number, kind: LockKind): boolean;
  /** `F_OFD_SETLK` over the whole file, without waiting; false: somebody else holds it. */
  ofdLock(fd: number, kind: LockKind): boolean;
  /** `F_OFD_GETLK`: would `ofdLock` of this kind be granted now? */
  ofdLockIsFree(fd: number, kind: 'shared' | 'exclusive'): boolean;
  /** Everything written so far to the file system that `fd` lies on reaches the disk. */
  syncfs(fd: number): void;
  readonly renameat2: RenameAt2 | undefined;
  /**
   * At most `length` bytes from the position of one file to that of another, inside the kernel: shared blocks where the
   * file system can (reflinks). 0 at the end. Older C libraries lack it.
   */
  readonly copyFileRange: ((fromFd: number, toFd: number, length: number) => number) | undefined;
  /** Begin to write the pages of a file to the disk, without waiting. Not a flush: `syncfs` finds less left to do. */
  beginWriteBack(fd: number): void;
  /** A setting of glibc's allocator, `M_...` of malloc.h; other C libraries lack it. */
  readonly mallopt: ((setting: number, value: number) => void) | undefined;
  /** Give free memory of glibc's allocator back to the system; others lack it. */
  readonly mallocTrim: (() => void) | undefined;
  /** `mode` with the type bits of stat(2); `device` from `deviceNumber`. */
  mknodat(directory: number, name: Path, mode: number, device: bigint): void;
  /** Does not follow a symbolic link. */
  utimensat(directory: number, name: Path, times: FileTimes): void;
  /** One datagram to a Unix socket. Does not wait: EAGAIN when the receiver is behind, EMSGSIZE when it is too long. */
  sendDatagram(socketPath: Path, message: Uint8Array): void;
}
type RenameAt2 = (fromDirectory: number, from: Path, toDirectory: number, to: Path, mode: RenameMode) => void;

/** For the calls that take a directory: names count from the working directory. */
export const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

let calls: SystemCalls | undefined;

/** The calls, or undefined without koffi (`koffi()` tells why). */
export function systemCalls(): SystemCalls | undefined {
  const library = koffi();
  if (library.kind === 'loaded') calls ??= declareAll((declaration) => library.declare(declaration));
  return calls;
}

/** Makes the device number of mknod(2), in the form of glibc and musl. */
export function deviceNumber(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn);
}

function declareAll(declare: Declare): SystemCalls {
  const need = (declaration: string) => {
    const call = declare(declaration);
    if (call === undefined) throw new Error(`unreachable: this C library lacks "${declaration}"`);
    return call;
  };
  const flock = need('int flock(int fd, int operation)');
  const fcntl = need('int fcntl(int fd, int command, _Inout_ uint8_t *lock)');
  const syncfs = need('int syncfs(int fd)');
  const renameat2 = declare(
    'int renameat2(int fromDirectory, const uint8_t *from, int toDirectory, const uint8_t *to, unsigned int flags)',
  );
  const copyFileRange = declare(
    'intptr_t copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t length, unsigned int flags)',
  );
  const syncFileRange = declare('int sync_file_range(int fd, int64_t offset, int64_t length, unsigned int flags)');
  const mallopt = declare('int mallopt(int setting, int value)');
  const mallocTrim = declare('int malloc_trim(size_t pad)');
  const mknodat = need('int mknodat(int directory, const uint8_t *name, uint32_t mode, uint64_t device)');
  const utimensat = need('int utimensat(int directory, const uint8_t *name, const uint8_t *times, int flags)');
  const socket = need('int socket(int domain, int type, int protocol)');
  const connect = need('int connect(int fd, const uint8_t *address, uint32_t size)');
  const send = need('intptr_t send(int fd, const uint8_t *message, size_t size, int flags)');
  const close = need('int close(int fd)');

  return {
    ...declareXattrs(need),
    ...declareDirectoryCalls(need, declare),
    flock: (fd, kind) => granted(() => flock(undefined, fd, FLOCK[kind] | LOCK_NB)),
    ofdLock: (fd, kind) => granted(() => fcntl(undefined, fd, F_OFD_SETLK, wholeFile(LOCK_TYPE[kind]))),
    ofdLockIsFree(fd, kind) {
      const lock = wholeFile(LOCK_TYPE[kind]);
      fcntl(undefined, fd, F_OFD_GETLK, lock);
      return new Int16Array(lock.buffer)[0] === LOCK_TYPE.unlock;
    },
    syncfs: (fd) => void syncfs(undefined, fd),
    renameat2:
      renameat2 &&
      ((fromDirectory, from, toDirectory, to, mode) =>
        void renameat2(showPath(to), fromDirectory, cString(from), toDirectory, cString(to), RENAME[mode])),
    copyFileRange:
      copyFileRange && ((fromFd, toFd, length) => copyFileRange(undefined, fromFd, null, toFd, null, length, 0)),
    beginWriteBack: (fd) => void syncFileRange?.(undefined, fd, 0, 0, SYNC_FILE_RANGE_WRITE),
    mallopt: mallopt && ((setting, value) => void mallopt(undefined, setting, value)),
    mallocTrim: mallocTrim && (() => void mallocTrim(undefined, 0)),
    mknodat: (directory, name, mode, device) => void mknodat(showPath(name), directory, cString(name), mode, device),
    utimensat: (directory, name, times) =>
      void utimensat(showPath(name), directory, cString(name), timespecs(times), AT_SYMLINK_NOFOLLOW),
    sendDatagram(socketPath, message) {
      const shown = showPath(socketPath);
      const address = unixAddress(socketPath);
      const fd = socket(shown, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      try {
        connect(shown, fd, address, address.length);
        send(shown, fd, message, message.length, MSG_NOSIGNAL | MSG_DONTWAIT);
      } finally {
        close(shown, fd);
      }
    },
  };
}

const FLOCK = { shared: 1, exclusive: 2, unlock: 8 } as const;
const LOCK_NB = 4;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const LOCK_TYPE = { shared: 0, exclusive: 1, unlock: 2 } as const;
const RENAME = { 'no-replace': 1, exchange: 2 } as const;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SYNC_FILE_RANGE_WRITE = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
/** `tv_nsec` that leaves a time as it is. */
const UTIME_OMIT = (1n << 30n) - 2n;

function granted(take: () => number): boolean {
  try {
    take();
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EAGAIN' || code === 'EACCES') return false; // POSIX allows either for a lock that is held
    throw error;
  }
}

/** `struct flock`: type, whence (int16 each), padding, start, length (int64), process (int32, must be 0), padding. */
function wholeFile(type: number): Uint8Array<ArrayBuffer> {
  const lock = new ArrayBuffer(32);
  new Int16Array(lock)[0] = type;
  return new Uint8Array(lock);
}

/** Two `struct timespec`: seconds and nanoseconds, int64 each. */
function timespecs({ accessNs, modifyNs }: FileTimes): Uint8Array {
  const parts = [accessNs, modifyNs].flatMap((ns) => {
    if (ns === undefined) return [0n, UTIME_OMIT];
    const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    return [(ns - fraction) / 1_000_000_000n, fraction];
  });
  return new Uint8Array(new BigInt64Array(parts).buffer);
}

/** `struct sockaddr_un`: family (uint16), 108 bytes of path. @throws SystemError ENAMETOOLONG */
function unixAddress(path: Path): Uint8Array {
  const name = cString(path);
  if (name.length > 108) throw new SystemError(-constants.errno.ENAMETOOLONG, 'connect', showPath(path));
  return Buffer.concat([new Uint8Array(new Uint16Array([AF_UNIX]).buffer), name]);
}
