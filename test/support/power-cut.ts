import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeExt4, mountImage } from './full-disk.ts';
import { must, type Running, run } from './program.ts';
import { makeScratch, removeTree } from './scratch.ts';

/**
 * The two moments at which a missing sync shows; test both, with NEW names (replacing a file hides the fault on ext4).
 *
 * At once after success, what was never synced is absent: "before" is then a failure, too. Half a minute later
 * (shortened to 2.5 s by commit=1) the journal holds the name, but not the data: the file is there and empty.
 */
export const CUTS = [
  { name: 'at once', commitSec: 300, afterMs: 0 },
  { name: "after the journal's commit", commitSec: 1, afterMs: 2500 },
] as const;

export interface DiskOptions {
  /** Default 64. */
  readonly sizeMiB?: number | undefined;
  /** ext4's commit interval. Default 300 s: nothing reaches the disk by itself during a test. */
  readonly commitSec?: number | undefined;
  /** How long `cut` waits before it cuts, when it is not told. Default 0. */
  readonly afterMs?: number | undefined;
}
/** A disk whose power can be cut. */
export interface Disk {
  /** Where it is mounted. */
  readonly path: string;
  /** Make all that is on it durable: the state before the command under test. */
  settle(): Promise<void>;
  /**
   * What the disk holds if the power fails now: a copy, mounted elsewhere after the journal's replay. `running` is a
   * program in the middle of its work: it is held still for the copy and killed after it.
   */
  cut(options?: { readonly afterMs?: number; readonly running?: Running }): Promise<CutDisk>;
}
export interface CutDisk {
  readonly path: string;
  /** Not needed for cleaning up: the end of `withDisk` does that, too. */
  close(): Promise<void>;
}

/** An empty ext4 on a disk of its own, for the time of `use`. Needs `loop-mount`. */
export async function withDisk<T>(options: DiskOptions, use: (disk: Disk) => Promise<T>): Promise<T> {
  const dir = makeScratch();
  try {
    const image = join(dir, 'image');
    const path = join(dir, 'disk');
    await mkdir(path);
    await makeExt4(image, (options.sizeMiB ?? 64) * 1024);
    await mountImage(image, path, [`commit=${options.commitSec ?? 300}`]);
    let cuts = 0;
    return await use({
      path,
      settle: async () => void (await must('sync', ['--file-system', path])),
      async cut({ afterMs = options.afterMs ?? 0, running } = {}) {
        await delay(afterMs);
        running?.kill('SIGSTOP');
        const copy = join(dir, `cut-${++cuts}`);
        await snapshot(image, `${copy}.image`);
        running?.kill();
        await mkdir(copy);
        await mountImage(`${copy}.image`, copy);
        return { path: copy, close: async () => removeTree(copy) };
      },
    });
  } finally {
    removeTree(dir);
  }
}

/**
 * Put before a command, this makes its sync calls do nothing and report success: the twin that has to lose its data,
 * or the test proves nothing. Calls made through koffi and those of child programs are voided, too; files opened
 * with O_SYNC or O_DSYNC are not.
 */
export function withoutSync(): readonly string[] {
  const calls = '?fsync,?fdatasync,?syncfs,?sync,?sync_file_range';
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:retval=0`];
}

/**
 * Copy the backing file as it is at one moment. `cp` reads it bit by bit while the kernel may write, and a mixture of
 * two moments is no state a power cut leaves. When a second look finds every byte as it was copied, then that was the
 * state between the two looks. Nothing is synced: the loop device has written into the page cache, where `cp` reads.
 */
async function snapshot(image: string, copy: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    await must('cp', ['--sparse=always', image, copy]);
    const { status } = await run('cmp', ['--silent', image, copy]);
    if (status === 0) return;
    await delay(20);
  }
  throw new Error(`${image}: written to without a pause; give the running program to cut(), which holds it still`);
}
