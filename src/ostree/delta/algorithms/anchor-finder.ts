import { GRAM, MatchIndex } from './match-index.ts';

/** A match must be right in so many bytes more than running on in step is, or it is not worth the 24 bytes of a step. */
const WORTH = 9;
/** How many eight-byte sequences are looked up before a search: more cost more than the searches they save. */
const MOST_GRAMS = 6;
/** While the two files run in step for this many bytes nothing else is looked for: a better match is found behind. */
const IN_STEP = 16;

/** The two files that a patch lies between. */
export interface FilePair {
  readonly old: Uint8Array;
  readonly new: Uint8Array;
}

/** A place where the old file has the same bytes as the new one, exactly. */
export interface Anchor {
  readonly oldStart: number;
  readonly newStart: number;
  readonly length: number;
}

/** Walks over the new file and stops where a match is worth a step of its own. */
export class AnchorFinder {
  readonly #old: Uint8Array;
  readonly #new: Uint8Array;
  readonly #index: MatchIndex;

  constructor(files: FilePair) {
    this.#old = files.old;
    this.#new = files.new;
    this.#index = new MatchIndex(files.old);
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
    for (;;) {
      for (; wrong < WORTH; end++) {
        if (end >= this.#new.length) return undefined;
        if (!this.#inStep(end, offset)) wrong++;
      }
      let next = this.#firstPossible(at, end);
      if (next === at) next += this.#runInStep(at, offset);
      if (next === at) {
        index.find(this.#new, at);
        if (index.length >= end - at) return { oldStart: index.position, newStart: at, length: index.length };
        next++;
      }
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
