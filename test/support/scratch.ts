import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchPath } from './needs.ts';

/** What of node:test is used: a test context, or `{ after }` imported from it for a whole file. */
interface Cleanup {
  after(fn: () => void): void;
}

/** Folders not yet removed. They go when the process ends early, too, and their mounts with them. */
const live = new Set<string>();
process.on('exit', () => {
  for (const path of live) removeTree(path);
});
// The test runner ends a file by SIGTERM when it is itself interrupted; without a listener nothing above would run.
for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

/** An empty directory of the test's own, 0700, without symlinks in its path; gone when the test is over. */
export function scratch(test: Cleanup): string {
  const path = makeScratch();
  test.after(() => removeTree(path));
  return path;
}

/** The same without a test to hang it on; hand it to `removeTree` when done. */
export function makeScratch(parent: string = tmpdir()): string {
  const path = realpathSync(mkdtempSync(join(parent, 'tako-test-')));
  live.add(path);
  return path;
}

/** Remove a directory and all below it; what is mounted at it or below is unmounted first, the innermost first. */
export function removeTree(path: string): void {
  for (const target of mountsBelow(path)) unmount(target);
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }); // a killed program may be about to die
  } catch (error) {
    if (process.getuid?.() === 0) throw error;
    makeWritable(path); // an image's read-only folders stop everybody but root
    rmSync(path, { recursive: true, force: true });
  }
  live.delete(path);
}

/** Mount points at `path` and below it, in the order in which to unmount them. */
export function mountsBelow(path: string): readonly string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
  return points.filter((point) => point === path || point.startsWith(`${path}/`)).reverse();
}

function unmount(target: string): void {
  const env = { PATH: searchPath() };
  if (spawnSync('umount', [target], { env }).status === 0) return;
  // Somebody still holds a file there. Lazily, so that the folder can be removed now and the disk when they let go.
  const lazy = spawnSync('umount', ['--lazy', target], { env, encoding: 'utf8' });
  if (lazy.status !== 0) throw new Error(`${target}: cannot be unmounted: ${lazy.stderr}`);
}

function makeWritable(dir: string): void {
  chmodSync(dir, 0o700);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(dir, entry.name));
  }
}
