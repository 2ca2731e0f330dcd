import { statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './program.ts';
import { makeScratch, removeTree } from './scratch.ts';

/** A small file system, to be filled to the brim. */
export interface SmallDisk {
  /** Where it is mounted; empty, save ext4's `lost+found`. */
  readonly path: string;
  /** Bytes an unprivileged or privileged program can still write into files. */
  free(): number;
  /** Take up space until at most `leave` bytes are free (a block less, where they are no multiple of it). */
  fill(leave: number): Promise<void>;
  /** Give the space back that `fill` took. */
  release(): Promise<void>;
}
export interface SmallDiskOptions {
  readonly sizeKiB: number;
  /** ext4 in a file, mounted by loop (default), or tmpfs: exact to the page and fast, but its fsync does nothing. */
  readonly kind?: 'ext4' | 'tmpfs' | undefined;
}

/** Needs `loop-mount`, or `mount` for tmpfs. The smallest ext4 that can be made has about 256 KiB. */
export async function withSmallDisk<T>(options: SmallDiskOptions, use: (disk: SmallDisk) => Promise<T>): Promise<T> {
  const dir = makeScratch();
  try {
    const path = join(dir, 'disk');
    await mkdir(path);
    if (options.kind === 'tmpfs') await must('mount', ['-t', 'tmpfs', '-o', `size=${options.sizeKiB}k`, 'tmpfs', path]);
    else {
      await makeExt4(join(dir, 'image'), options.sizeKiB);
      await mountImage(join(dir, 'image'), path);
    }
    return await use(smallDisk(path));
  } finally {
    removeTree(dir);
  }
}

/** Make a file that holds an empty ext4; nothing is kept back for root, so that root meets ENOSPC as everybody does. */
export async function makeExt4(image: string, sizeKiB: number): Promise<void> {
  writeFileSync(image, '');
  truncateSync(image, sizeKiB * 1024);
  await must('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
}

/** Mount a file-system image by loop; `options` are mount's own, such as `commit=1`. */
export async function mountImage(image: string, target: string, options: readonly string[] = []): Promise<void> {
  await must('mount', ['-o', ['loop', ...options].join(','), image, target]);
}

function smallDisk(path: string): SmallDisk {
  const ballast = join(path, '.ballast');
  const free = () => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    free,
    release: () => rm(ballast, { force: true }),
    async fill(leave) {
      // Twice, for the file's own extent tree takes blocks, too.
      for (let used = 0, round = 0; free() > leave && round < 3; round++) {
        used += free() - leave;
        const { bsize } = statfsSync(path);
        used = Math.ceil(used / bsize) * bsize;
        await must('fallocate', ['-l', String(used), ballast]);
      }
    },
  };
}
