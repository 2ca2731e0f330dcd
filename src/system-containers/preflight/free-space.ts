/** Is there room for what a deployment puts outside of the repository? */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, codeOf } from '../../base/error.ts';
import { formatBytes } from '../../base/text.ts';

export interface Need {
  /** Where it will be, as this process opens it; need not exist. */
  readonly path: string;
  readonly bytes: number;
}

/** For the files that every deployment has, and for directories. */
const LEAST = 2 ** 20;

/** Needs of one file system count together. @throws CodedError DISK_FULL */
export function assertSpace(needs: readonly Need[]): void {
  const byDevice = new Map<number, Need>();
  for (const { path, bytes } of needs) {
    const existing = nearest(path);
    const { dev } = statSync(existing);
    const other = byDevice.get(dev);
    byDevice.set(dev, { path: other?.path ?? existing, bytes: (other?.bytes ?? LEAST) + bytes });
  }
  for (const { path, bytes } of byDevice.values()) {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize >= bytes) continue;
    const found = formatBytes(bavail * bsize);
    throw new CodedError('DISK_FULL', `${path}: expected ${formatBytes(bytes)} of free space, found ${found}`, {
      hint: 'free some space on its file system and try again',
      subject: path,
    });
  }
}

function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      statSync(at);
      return at;
    } catch (error) {
      if (at === dirname(at) || !['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
    }
  }
}
