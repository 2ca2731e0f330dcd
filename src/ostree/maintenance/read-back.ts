/** Every object read and hashed, by threads when there are many. */
import type { FsckFound } from '../jobs/fsck-objects.ts';
import { openPool, type Pool, threadsFor } from '../jobs/pool.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import type { ObjectReader } from '../storage/object-reader.ts';

/** Objects; small enough that threads end at about the same time. */
const BATCH = 128;

export interface ReadBackOptions {
  readonly signal: AbortSignal;
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  /** Hand out no more when something is corrupt. */
  readonly stopAtCorrupt: boolean;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ReadBack {
  readonly found: readonly FsckFound[];
  /** Read; fewer than there are when it stopped early. */
  readonly objects: number;
  readonly bytes: number;
}

/** Threads start while the caller still walks. */
export function openReadBack(reader: ObjectReader, expected: number, threads?: number): Pool {
  return openPool({ read: reader.places }, threadsFor(expected, threads));
}

export async function readBack(
  pool: Pool,
  names: readonly ObjectName[],
  { signal, stopAtCorrupt, onProgress }: ReadBackOptions,
): Promise<ReadBack> {
  const found: FsckFound[] = [];
  let objects = 0;
  let bytes = 0;
  const open: Promise<void>[] = [];
  const verify = async (batch: readonly ObjectName[]): Promise<void> => {
    const result = await pool.run('fsck-objects', { objects: batch });
    found.push(...result.found);
    bytes += result.bytes;
    objects += batch.length;
    onProgress?.(objects, names.length);
  };
  try {
    for (let at = 0; at < names.length; at += BATCH) {
      await pool.ready();
      signal.throwIfAborted();
      if (stopAtCorrupt && found.some(({ kind }) => kind === 'corrupt')) break;
      const running = verify(names.slice(at, at + BATCH));
      open.push(running);
      if (pool.threads === 0) await running;
    }
  } finally {
    await Promise.allSettled(open); // nothing is left behind that fails unheard
  }
  await Promise.all(open);
  return { found: found.sort(byName), objects, bytes };
}

function byName(a: ObjectName, b: ObjectName): number {
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return a.checksum < b.checksum ? -1 : 1;
}
