/**
 * A booted systemd, in systemd-nspawn, on a minimal Debian root. Needs `machine`.
 *
 * What works inside: services, timers, the journal, reboot, users, runc, and `RootImage=` (below). The network is the
 * host's, so servers of the test are at 127.0.0.1. Not to be had: cgroup controllers (limits are written, but do
 * nothing), a real power cut (a reboot here is an orderly one; `power-cut.ts` has the other), udev.
 *
 * `RootImage=/path/x.squashfs`, also through a symlink `latest`, needs loop devices, and nspawn's /dev has none.
 * tmpfiles.d makes /dev/loop-control and /dev/loop0 ... 63 there before any service starts; --capability=all has
 * CAP_MKNOD, and without --register no device policy stands in the way. Binding the host's nodes would work only for
 * those that exist already when the machine starts. The image is freed when its service stops or the machine ends.
 * An image with a file system directly on it (mksquashfs) is enough; one with partitions would wait for udev.
 * The image needs the directories /proc /sys /dev /run (systemd mounts there, and cannot make them in a squashfs: without
 * them 226/NAMESPACE), with PrivateTmp= also /tmp and /var/tmp; neither os-release nor anything in /etc.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cgroup2 } from './needs.ts';
import { CHECKOUT, must, type Running, run, start } from './program.ts';

/** For `import { sh, report } from '${AGENT}'` in a machine's script. */
export const AGENT = '/t/dist/test/support/machine-agent.js';

const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'libpam-systemd', 'dbus', 'dbus-user-session'],
  ...['runc', 'uidmap', 'busybox-static', 'ca-certificates'],
];
const CACHE = '/var/tmp';
/** nspawn's status when the machine wants to be booted again; see testing.md. */
const REBOOT = 133;
const LOOP_DEVICES = 64;
const NSPAWN = '/run/systemd/nspawn';

/**
 * A Debian root to copy from, made once (15 s, 221 MB) and kept in /var/tmp under the hash of its package list. An
 * interrupted build is never used, and only one process builds at a time: `flock` lets go when its holder dies.
 */
export async function machineRoot(extra: readonly string[] = []): Promise<string> {
  const packages = [...PACKAGES, ...extra].sort().join(',');
  const hash = createHash('sha256').update(`bookworm ${packages}`).digest('hex').slice(0, 12);
  const root = join(CACHE, `tako-test-root-${hash}`);
  if (existsSync(root)) return root;
  const script = `set -e
    test ! -e "$1" || exit 0
    rm -rf "$1.part"
    mmdebstrap --quiet --variant=minbase --include="$2" bookworm "$1.part"
    mv "$1.part" "$1"`;
  const began = Date.now();
  await must('flock', [`${root}.lock`, 'sh', '-c', script, 'sh', root, packages], { timeoutMs: 600_000 });
  process.stderr.write(`${root}: made in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  return root;
}

/** A copy of the root for one test, as `dir/root`; `dir` is a scratch folder. A second, 221 MB. */
export async function copyRoot(dir: string, extra?: readonly string[]): Promise<string> {
  const root = join(dir, 'root');
  await must('cp', ['-a', '--reflink=auto', await machineRoot(extra), root]);
  return root;
}

/** A file for the machine: its content (0644), content and mode, a symlink, or a directory. */
export type MachineFile =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number };

export interface MachineOptions {
  /** From `copyRoot`. It is changed: booting it again shows what the first time left. */
  readonly root: string;
  /** By absolute path, e.g. `/etc/systemd/system/app.service`. */
  readonly files?: Readonly<Record<string, MachineFile>> | undefined;
  /**
   * An ES module, run as root when multi-user.target is reached, anew in each boot. It ends the machine by ending,
   * throws to fail, and imports its helpers from AGENT. It reboots by `reboot()`: any other way is taken for a crash.
   */
  readonly script: string;
  /** Folders of the host, for both sides to write: `{ '/images': dir }`. */
  readonly binds?: Readonly<Record<string, string>> | undefined;
  /** For all boots together. Default two minutes. */
  readonly timeoutMs?: number | undefined;
}
export interface MachineResult {
  /** What the script gave `finish`, or 0. */
  readonly status: number;
  /** How often the machine came up in this call. */
  readonly boots: number;
  /** All that the script gave `report`, across the boots. */
  readonly report: Readonly<Record<string, unknown>>;
  /** The journal of all boots of this root, as `journalctl` prints it. */
  readonly journal: string;
  /** The folder that is /out inside, for larger findings. */
  readonly out: string;
}

/**
 * Boot a root, run a script in it, wait until the machine has ended. A machine that reboots is booted again.
 *
 * @throws Error when the script throws, the machine does not end in time, or ends with a status nobody asked for;
 * with the end of the journal in its text. Nothing of the machine runs or is mounted after that.
 */
export async function bootMachine(options: MachineOptions): Promise<MachineResult> {
  const { root } = options;
  const out = `${root}.out`;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [path, file] of Object.entries({ ...driver(options.script), ...options.files })) place(root, path, file);
  const end = Date.now() + (options.timeoutMs ?? 120_000);
  let boots = 0;
  let status: number;
  do {
    boots++;
    status = await bootOnce(options, out, end - Date.now());
  } while (status === REBOOT);
  const journal = await journalOf(root);
  const error = join(out, 'error.txt');
  if (existsSync(error)) {
    const tail = journal.split('\n').slice(-60).join('\n');
    throw new Error(`in the machine, boot ${boots}: ${readFileSync(error, 'utf8')}\n${tail}`);
  }
  const found = join(out, 'report.json');
  const report = existsSync(found) ? (JSON.parse(readFileSync(found, 'utf8')) as Record<string, unknown>) : {};
  return { status, boots, report, journal, out };
}

/** The unit that runs the script, the script, and the loop devices. */
function driver(script: string): Readonly<Record<string, MachineFile>> {
  const unit = `[Unit]
Description=script of the test
After=multi-user.target

[Service]
Type=oneshot
Environment=HOME=/root
WorkingDirectory=/root
ExecStart=/usr/bin/node /var/lib/tako-test/main.mjs
# A script that could not even begin must not leave the machine waiting.
ExecStopPost=/bin/sh -c '[ "$SERVICE_RESULT" = success ] || { echo "script: $SERVICE_RESULT, $EXIT_STATUS" >>/out/error.txt; systemctl --no-block exit 1; }'
`;
  return {
    '/var/lib/tako-test/script.mjs': script,
    '/var/lib/tako-test/main.mjs': `import { drive } from '${AGENT}';\nawait drive(() => import('./script.mjs'));\n`,
    '/etc/systemd/system/tako-test.service': unit,
    '/etc/systemd/system/graphical.target.wants/tako-test.service': { link: '../tako-test.service' },
    '/etc/tmpfiles.d/tako-test-loop.conf': loopDevices(),
  };
}

function loopDevices(): string {
  const { rdev } = statSync('/dev/loop-control');
  const nodes = Array.from({ length: LOOP_DEVICES }, (_, n) => `b /dev/loop${n} 0600 root root - 7:${n}`);
  // The minor number of loop-control, 237, is fixed in the kernel; 10 is that of all "misc" devices.
  const control = `${(rdev >> 8) & 0xfff}:${rdev & 0xff}`;
  return [`c /dev/loop-control 0600 root root - ${control}`, ...nodes, ''].join('\n');
}

/** Put a file into the root, which holds absolute symlinks (/var/run): none may lead out into the host. */
function place(root: string, path: string, file: MachineFile): void {
  const target = join(root, path);
  mkdirInside(root, dirname(target));
  if (typeof file === 'string' || file instanceof Uint8Array) {
    rmSync(target, { force: true });
    writeFileSync(target, file);
  } else if ('link' in file) {
    rmSync(target, { force: true });
    symlinkSync(file.link, target);
  } else if ('directory' in file) {
    mkdirInside(root, target, file.mode);
  } else {
    rmSync(target, { force: true });
    writeFileSync(target, file.content, { mode: file.mode ?? 0o644 });
  }
}

function mkdirInside(root: string, dir: string, mode = 0o755): void {
  if (!existsSync(dir)) {
    mkdirInside(root, dirname(dir));
    mkdirSync(dir, { mode });
  }
  const real = realpathSync(dir);
  const top = realpathSync(root);
  if (real !== top && !real.startsWith(`${top}/`)) throw new Error(`${dir}: leads out of the root, to ${real}`);
}

async function bootOnce(options: MachineOptions, out: string, timeoutMs: number): Promise<number> {
  const leaving = join(out, 'leaving');
  rmSync(leaving, { force: true });
  const group = makeGroup();
  const machine = startMachine(options, out, group, timeoutMs);
  // The machine's processes are in groups of their own: if this process ends early, only the cgroup reaches them.
  const onExit = () => {
    removeGroupNow(group);
    forget(group, options.root);
  };
  process.prependOnceListener('exit', onExit);
  try {
    const ended = await machine.done;
    appendFileSync(join(out, 'console.txt'), ended.stdout + ended.stderr);
    if (existsSync(join(out, 'error.txt'))) return ended.status ?? 1; // the script's own reason is the better one
    const asked = existsSync(leaving) ? readFileSync(leaving, 'utf8') : 'nothing';
    const expected = asked === 'reboot' ? REBOOT : Number(/^exit (\d+)$/.exec(asked)?.[1]);
    if (ended.status === expected) return ended.status;
    throw new Error(`the script asked for ${asked}, systemd-nspawn: ${ended.signal ?? ended.status}: ${ended.stderr}`);
  } catch (cause) {
    killGroup(group);
    await delay(200); // the kernel takes the mounts and loop devices apart
    const tail = (await journalOf(options.root)).split('\n').slice(-60).join('\n');
    throw new Error(`the machine did not end as it should\n${tail}`, { cause });
  } finally {
    process.off('exit', onExit);
    await removeGroup(group);
    forget(group, options.root);
  }
}

/** What a killed nspawn leaves of its own; after an orderly end they are gone. */
function forget(group: string, root: string): void {
  const { dev, ino } = statSync(root);
  rmSync(join(NSPAWN, 'propagate', basename(group)), { recursive: true, force: true });
  rmSync(join(NSPAWN, 'locks', `inode-${dev}:${ino}`), { force: true });
}

function startMachine(options: MachineOptions, out: string, group: string, timeoutMs: number): Running {
  const binds = Object.entries(options.binds ?? {}).map(([inside, outside]) => `--bind=${outside}:${inside}`);
  const args = [
    ...['-D', options.root, `--machine=${basename(group)}`, '--boot', '--console=read-only'],
    ...['--register=no', '--keep-unit', '--capability=all', '--system-call-filter=@keyring bpf'],
    // Node alone, not its prefix: that is often /usr, and would hide the machine's own.
    ...[`--bind-ro=${realpathSync(process.execPath)}:/usr/bin/node`, `--bind-ro=${CHECKOUT}:/t`, `--bind=${out}:/out`],
    ...binds,
  ];
  // In a cgroup of its own: two machines in one would share /payload, and stop each other's services.
  // When the test's process is killed, the kernel tells nspawn to shut the machine down.
  const enter = ['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', group];
  const env = { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' };
  return start('systemd-nspawn', args, { env, prefix: enter, timeoutMs: Math.max(timeoutMs, 1000) });
}

/** A journal is complete only after the machine has ended. */
async function journalOf(root: string): Promise<string> {
  const dir = join(root, 'var', 'log', 'journal');
  const { stdout } = await run('journalctl', ['--directory', dir, '--no-pager', '--quiet', '--output=short-precise']);
  return stdout;
}

let groups = 0;

function makeGroup(): string {
  const parent = cgroup2();
  if (parent === undefined) throw new Error('no cgroup2 hierarchy is mounted');
  for (const name of readdirSync(parent)) {
    const owner = /^tako-test-(\d+)-\d+$/.exec(name)?.[1];
    // Left by a test process that was killed, perhaps with its machine in it.
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) removeGroupNow(join(parent, name));
  }
  const group = join(parent, `tako-test-${process.pid}-${++groups}`);
  mkdirSync(group);
  return group;
}

function killGroup(group: string): void {
  writeFileSync(join(group, 'cgroup.kill'), '1');
}

async function removeGroup(group: string): Promise<void> {
  killGroup(group);
  for (let attempt = 0; ; attempt++) {
    try {
      removeGroups(group);
      return;
    } catch (error) {
      if (attempt === 100) throw error; // five seconds: something in it cannot be killed
      await delay(50);
    }
  }
}

/** The same for when the process ends, and there are no more events to wait for. */
function removeGroupNow(group: string): void {
  killGroup(group);
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      removeGroups(group);
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // EBUSY: its processes are about to be gone
    }
  }
}

function removeGroups(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroups(join(group, entry.name));
  }
  rmdirSync(group);
}
