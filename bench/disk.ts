/**
 * A fresh ext4 with a journal on a loop device, to hold data and work together: a root file system without a journal
 * makes repeated create and delete many times slower, and would be what is measured.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Disk {
  readonly path: string;
  close(): void;
}

/** Needs root; without, a directory of the temporary file system stands in, and says so. */
export function openDisk(sizeGiB: number): Disk {
  const base = mkdtempSync(join(tmpdir(), 'tako-bench-'));
  if (process.getuid?.() !== 0) {
    console.log('(not root: measured on the temporary directory, not on a file system of its own)');
    return { path: base, close: () => rmSync(base, { recursive: true, force: true }) };
  }
  const image = join(base, 'disk.img');
  const path = join(base, 'disk');
  mkdirSync(path);
  execFileSync('truncate', ['-s', `${sizeGiB}G`, image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  execFileSync('mount', ['-o', 'loop,discard', image, path]);
  return {
    path,
    close() {
      execFileSync('umount', [path]);
      rmSync(base, { recursive: true, force: true });
    },
  };
}
