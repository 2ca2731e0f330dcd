import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where peers live: Debian keeps nginx and the mount tools in sbin, which is not in everybody's PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const CAP_SYS_ADMIN = 21n;

/** PATH with the sbin folders at its end. */
export function searchPath(env: NodeJS.ProcessEnv = process.env): string {
  const path = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':').filter((dir) => dir !== '');
  return [...new Set([...path, ...SBIN])].join(':');
}

/** What a machine can have beside programs; each gives undefined, or the reason why it is missing. */
const CAPABILITIES: Readonly<Record<string, () => string | undefined>> = {
  root: () => (process.getuid?.() === 0 ? undefined : 'root'),
  /** May mount: root in a container without CAP_SYS_ADMIN may not. */
  mount: () => (mayMount() ? undefined : 'the right to mount (CAP_SYS_ADMIN)'),
  /** ext4 in a file, mounted by loop: power cuts and full disks. */
  'loop-mount': () => all('mount', 'losetup', 'mkfs.ext4', 'umount') ?? (freeLoop() ? undefined : 'a free loop device'),
  /** A booted systemd in systemd-nspawn, and the means to make its root. */
  machine: () =>
    all('root', 'mount', 'systemd-nspawn', 'mmdebstrap', 'flock', 'journalctl') ??
    (cgroup2() === undefined ? 'a mounted cgroup2 hierarchy' : undefined),
  /** What the crash matrix runs under; some containers forbid ptrace even to root. */
  strace: () =>
    spawnSync('strace', ['-qq', '-o', '/dev/null', '/bin/true'], { env: { PATH: searchPath() } }).status === 0
      ? undefined
      : 'strace',
};

/**
 * What a test needs beside Node: programs by name (`nginx`), or one of `root`, `mount`, `loop-mount`, `machine`.
 * The answer is for node:test's `skip`: false, or a reason that names what is missing.
 *
 * @throws Error where `CI` is set and something is missing: there a skipped test is a failed one.
 */
export function needs(...peers: readonly string[]): false | string {
  const missing = peers.flatMap((peer) => lacking(peer) ?? []);
  if (missing.length === 0) return false;
  const reason = `needs ${missing.join(', ')}`;
  if ((process.env['CI'] ?? '') !== '') throw new Error(`${reason}: missing, and in CI no test may be skipped`);
  return reason;
}

/** The folder where the unified cgroup hierarchy is mounted, alone or beside the old ones. */
export function cgroup2(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((dir) => existsSync(join(dir, 'cgroup.procs')));
}

function lacking(peer: string): string | undefined {
  const capability = CAPABILITIES[peer];
  return capability === undefined ? (findProgram(peer) === undefined ? peer : undefined) : capability();
}

function all(...peers: readonly string[]): string | undefined {
  const missing = peers.flatMap((peer) => lacking(peer) ?? []);
  return missing.length === 0 ? undefined : missing.join(', ');
}

function findProgram(name: string): string | undefined {
  return searchPath()
    .split(':')
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // absent, or not ours to run: the caller looks in the next folder
  }
}

function mayMount(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

function freeLoop(): boolean {
  return mayMount() && spawnSync('losetup', ['--find'], { env: { PATH: searchPath() } }).status === 0;
}
