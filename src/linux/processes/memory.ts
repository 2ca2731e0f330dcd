/** Memory that was freed goes back to the system. */
import { systemCalls } from '../calls/ffi.ts';

/** Of malloc.h. */
const M_MMAP_THRESHOLD = -3;
const LARGE = 128 * 1024;

/**
 * Blocks above 128 KiB get pages of their own, for the rest of the process. glibc moves that border up as soon as one
 * of them is freed, and then each thread keeps the room of its largest buffers: some 30 MiB for every thread that
 * inflates. Where there is no such setting nothing happens.
 */
export function returnLargeBlocks(): void {
  systemCalls()?.mallopt?.(M_MMAP_THRESHOLD, LARGE);
}

/** What threads that have ended leave to the allocator, some 20 MiB each. */
export function returnFreeMemory(): void {
  systemCalls()?.mallocTrim?.();
}
