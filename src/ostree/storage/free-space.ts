/** `min-free-space-*`: content may not use up the last of the file system; metadata are exempt. Spec section 2. */
import fs from 'node:fs';
import { formatBytes } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { MinFree } from '../repository/config.ts';

/** What may still be used, counted by all threads of a transaction together. */
export interface FreeSpace {
  readonly blockSize: number;
  /** One number: blocks left. */
  readonly blocks: BigInt64Array<SharedArrayBuffer>;
  readonly reserve: string;
}

/** Taken once, when a transaction begins. */
export function measureFreeSpace(path: string, minFree: MinFree): FreeSpace | undefined {
  const wanted = minFree.kind === 'percent' ? minFree.percent : minFree.bytes;
  if (wanted === 0) return undefined;
  const { bsize, blocks, bfree, bavail } = fs.statfsSync(path);
  const free = process.getuid?.() === 0 ? bfree : bavail;
  const reserved = minFree.kind === 'percent' ? Math.ceil((blocks / 100) * wanted) : Math.ceil(wanted / bsize);
  const left = new BigInt64Array(new SharedArrayBuffer(8));
  left[0] = BigInt(Math.max(0, free - reserved));
  const reserve =
    minFree.kind === 'percent' ? `min-free-space-percent ${wanted}` : `min-free-space-size ${formatBytes(wanted)}`;
  return { blockSize: bsize, blocks: left, reserve };
}

/** @throws OstreeError MIN_FREE_SPACE */
export function takeSpace(space: FreeSpace | undefined, bytes: number): void {
  if (space === undefined) return;
  const needed = BigInt(Math.floor(bytes / space.blockSize) + 1);
  if (Atomics.sub(space.blocks, 0, needed) >= needed) return;
  Atomics.add(space.blocks, 0, needed);
  throw new OstreeError('MIN_FREE_SPACE', `less than ${space.reserve} would be left on the file system`, {
    hint: 'free some space, or lower core.min-free-space-percent in the config of the repository',
  });
}
