import { GRAM, MatchIndex } from './match-index.ts';
import { encodeSteps, StepList } from './patch-steps.ts';

/** A match must be right in so many bytes more than running on in step is, or it is not worth the 24 bytes of a step. */
const WORTH = 9;
/** How many eight-byte sequences are looked up before a search: more cost more than the searches they save. */
const MOST_GRAMS = 6;
/** While the two files run in step for this many bytes nothing else is looked for: a better match is found behind. */
const IN_STEP = 16;
/** A match that has so much left is kept without looking for a longer one: else long repetitions cost their square. */
const CARRIED = 64;

/**
 * A patch that makes the new file out of the old one: `bspatch` with it and the old bytes gives the new bytes.
 *
 * Shape: the stream that `bspatch` describes. Both files at most 2^31 - 1 bytes. The same input gives the same patch.
 * Source: Percival, "Naive differences of executable code" (2003): exact matches found in a suffix array of the old file
 * are extended to both sides as long as at least half of the bytes agree, so that a moved function whose addresses have
 * changed becomes a run of differences that are nearly all zero.
 */
export function bsdiff(oldBytes: Uint8Array, newBytes: Uint8Array): Uint8Array {
  return encodeSteps(oldBytes, newBytes, findSteps(oldBytes, newBytes));
}

/**
 * Bytes of memory that `bsdiff` takes at its peak, the two files included. The patch is counted as half as long again as
 * the new file, which it is when the files have little in common; between two builds of one program it is 1.1 times.
 */
export function bsdiffMemory(oldSize: number, newSize: number): number {
  return oldSize + MatchIndex.memory(oldSize) + 2.5 * newSize;
}

/** A place where the old file has the same bytes as the new one, exactly. */
interface Anchor {
  readonly oldStart: number;
  readonly newStart: number;
  readonly length: number;
}

function findSteps(oldBytes: Uint8Array, newBytes: Uint8Array): StepList {
  const finder = new AnchorFinder(oldBytes, newBytes);
  const steps = new StepList();
  let last: Anchor = { oldStart: 0, newStart: 0, length: 0 };
  let back = 0;
  for (;;) {
    const next = finder.next(last);
    const end = next?.newStart ?? newBytes.length;
    let forward = extendForward(oldBytes, newBytes, last, end);
    const nextBack = next === undefined ? 0 : extendBack(oldBytes, newBytes, next, last.newStart);
    const overlap = last.newStart + forward - (end - nextBack);
    let kept = nextBack;
    if (next !== undefined && overlap > 0) {
      const split = splitOverlap(oldBytes, newBytes, last, next, end - nextBack, overlap);
      forward -= overlap - split;
      kept -= split;
    }
    steps.add(last.oldStart - back, last.newStart - back, back + forward);
    if (next === undefined) return steps;
    last = next;
    back = kept;
  }
}

/** Walks over the new file and stops where a match is worth a step of its own. */
class AnchorFinder {
  readonly #old: Uint8Array;
  readonly #new: Uint8Array;
  readonly #index: MatchIndex;

  constructor(oldBytes: Uint8Array, newBytes: Uint8Array) {
    this.#old = oldBytes;
    this.#new = newBytes;
    this.#index = new MatchIndex(oldBytes);
  }

  /**
   * The next match behind an anchor that is right in at least `WORTH` bytes in which running on in step with that anchor
   * is wrong; undefined when there is none up to the end. In other words: it covers the next `WORTH` wrong bytes.
   */
  next(last: Anchor): Anchor | undefined {
    const index = this.#index;
    const offset = last.oldStart - last.newStart;
    let at = last.newStart + last.length;
    let end = at;
    let wrong = 0; // bytes in [at, end) that differ when the files run on in step
    index.length = 0;
    for (;;) {
      for (; wrong < WORTH; end++) {
        if (end >= this.#new.length) return undefined;
        if (!this.#inStep(end, offset)) wrong++;
      }
      let next = index.length >= CARRIED ? at : this.#firstPossible(at, end);
      if (next === at) next += this.#runInStep(at, offset);
      if (next === at) {
        if (index.length < CARRIED) index.find(this.#new, at);
        if (index.length >= end - at) return { oldStart: index.position, newStart: at, length: index.length };
        next++;
      }
      index.position += next - at;
      index.length -= Math.min(index.length, next - at);
      for (; at < next; at++) if (!this.#inStep(at, offset)) wrong--;
    }
  }

  #inStep(at: number, offset: number): boolean {
    const old = at + offset;
    return old >= 0 && old < this.#old.length && this.#old[old] === this.#new[at];
  }

  /** How many bytes agree from here on in step, or 0 when they are few. */
  #runInStep(at: number, offset: number): number {
    let length = 0;
    while (at + length < this.#new.length && this.#inStep(at + length, offset)) length++;
    return length < IN_STEP ? 0 : length;
  }

  /**
   * The first place from `at` on where a match that reaches `end` may start. Eight bytes which the old file does not have
   * rule out all places up to theirs; the last ones are asked first, for they rule out most.
   */
  #firstPossible(at: number, end: number): number {
    let gram = end - GRAM;
    for (let asked = 0; asked < MOST_GRAMS && gram > at; asked++, gram -= GRAM / 2) {
      if (!this.#index.mayContain(this.#new, gram)) return gram + 1;
    }
    return this.#index.mayContain(this.#new, at) ? at : at + 1;
  }
}

/** How far an anchor reaches, up to `end`, so that the agreeing bytes outweigh the others by as much as possible. */
function extendForward(oldBytes: Uint8Array, newBytes: Uint8Array, anchor: Anchor, end: number): number {
  const limit = Math.min(end - anchor.newStart, oldBytes.length - anchor.oldStart);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 0; i < limit; ) {
    balance += oldBytes[anchor.oldStart + i] === newBytes[anchor.newStart + i] ? 1 : -1;
    i++;
    if (balance > best) {
      best = balance;
      length = i;
    }
  }
  return length;
}

/** The same towards the front, not further than `start`. */
function extendBack(oldBytes: Uint8Array, newBytes: Uint8Array, anchor: Anchor, start: number): number {
  const limit = Math.min(anchor.newStart - start, anchor.oldStart);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 1; i <= limit; i++) {
    balance += oldBytes[anchor.oldStart - i] === newBytes[anchor.newStart - i] ? 1 : -1;
    if (balance > best) {
      best = balance;
      length = i;
    }
  }
  return length;
}

/** How many of `overlap` bytes from `start`, which both anchors reach, are better left to the first of them. */
function splitOverlap(
  oldBytes: Uint8Array,
  newBytes: Uint8Array,
  first: Anchor,
  second: Anchor,
  start: number,
  overlap: number,
): number {
  const firstOffset = first.oldStart - first.newStart;
  const secondOffset = second.oldStart - second.newStart;
  let balance = 0;
  let best = 0;
  let split = 0;
  for (let i = start; i < start + overlap; i++) {
    if (newBytes[i] === oldBytes[i + firstOffset]) balance++;
    if (newBytes[i] === oldBytes[i + secondOffset]) balance--;
    if (balance > best) {
      best = balance;
      split = i + 1 - start;
    }
  }
  return split;
}
