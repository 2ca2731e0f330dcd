/** Threads that all layers of one transaction share: there may be a hundred layers. */
import { openPool, type Pool, type Transaction, threadsBeside } from '../../ostree/index.ts';
import type { Layer } from '../labels/index.ts';

/** Packed; of an operating system's objects most are smaller. */
const SMALL_OBJECT = 4096;

/**
 * How many objects there are is known at the end, and threads cost more than they gain for a few.
 * @param threads at most so many; 0: everything on this one
 */
export function openLayerPool({ place }: Transaction, layers: readonly Layer[], threads: number | undefined): Pool {
  const bytes = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  return openPool({ write: place }, threadsBeside(Math.floor(bytes / SMALL_OBJECT), threads));
}
