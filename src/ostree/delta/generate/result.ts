/** What came of making a delta, and what is told on the way. */
import type { DeltaName } from '../names.ts';

export interface GeneratedDelta {
  readonly name: DeltaName;
  /** Of the superblock: in the repository `deltas/ab/cdef…/superblock`. */
  readonly path: string;
  /** Bytes of all files together. */
  readonly size: number;
  /** Bytes of the superblock's file. */
  readonly superblockSize: number;
  /** Bytes of the objects in the parts. */
  readonly uncompressedSize: number;
  readonly parts: readonly { readonly size: number; readonly uncompressedSize: number; readonly objects: number }[];
  readonly fallbacks: { readonly count: number; readonly size: number };
  /** How many objects went which way. */
  readonly objects: {
    readonly metadata: number;
    readonly rollsum: number;
    readonly bsdiff: number;
    readonly plain: number;
    readonly links: number;
  };
}

/** Bytes of new content that are dealt with, of all. */
export interface DeltaStep {
  readonly done: number;
  readonly total: number;
}
