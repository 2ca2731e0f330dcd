import { type Anchor, AnchorFinder, type FilePair } from './anchor-finder.ts';
import { extendBack, extendForward, splitOverlap } from './extend-anchor.ts';
import { MatchIndex } from './match-index.ts';
import { encodeSteps, StepList } from './patch-steps.ts';

/**
 * A patch that makes the new file out of the old one: `bspatch` with it and the old bytes gives the new bytes.
 *
 * Shape: the stream that `bspatch` describes. Both files at most 2^31 - 1 bytes. The same input gives the same patch.
 * Source: Percival, "Naive differences of executable code" (2003): exact matches found in a suffix array of the old file
 * are extended to both sides as long as at least half of the bytes agree, so that a moved function whose addresses have
 * changed becomes a run of differences that are nearly all zero.
 */
export function bsdiff(oldBytes: Uint8Array, newBytes: Uint8Array): Uint8Array {
  const files: FilePair = { old: oldBytes, new: newBytes };
  return encodeSteps(files, findSteps(files));
}

/**
 * Bytes of memory that `bsdiff` takes at its peak, the two files included. The patch is counted as half as long again as
 * the new file, which it is when the files have little in common; between two builds of one program it is 1.1 times.
 */
export function bsdiffMemory(oldSize: number, newSize: number): number {
  return oldSize + MatchIndex.memory(oldSize) + 2.5 * newSize;
}

function findSteps(files: FilePair): StepList {
  const finder = new AnchorFinder(files);
  const steps = new StepList();
  let anchor: Anchor = { oldStart: 0, newStart: 0, length: 0 };
  let back = 0;
  for (;;) {
    const next = finder.next(anchor);
    const border = divide(files, anchor, next);
    steps.add(anchor.oldStart - back, anchor.newStart - back, back + border.forward);
    if (next === undefined) return steps;
    anchor = next;
    back = border.back;
  }
}

/** What lies between two anchors: how much of it the first one takes and how much the second; the rest is literal. */
function divide(files: FilePair, anchor: Anchor, next: Anchor | undefined): { forward: number; back: number } {
  const end = next?.newStart ?? files.new.length;
  const forward = extendForward(files, anchor, end);
  if (next === undefined) return { forward, back: 0 };
  const back = extendBack(files, next, anchor.newStart);
  const start = end - back;
  const overlap = anchor.newStart + forward - start;
  if (overlap <= 0) return { forward, back };
  const split = splitOverlap(files, [anchor, next], { start, end: start + overlap });
  return { forward: forward - overlap + split, back: back - split };
}
