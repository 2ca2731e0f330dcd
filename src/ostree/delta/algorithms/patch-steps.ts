import type { FilePair } from './anchor-finder.ts';
import { encodeOffsetNumber, OFFSET_NUMBER_SIZE } from './offset-number.ts';

const HEADER = 3 * OFFSET_NUMBER_SIZE;

/** The steps of a patch, three numbers each and nothing else: there may be hundreds of thousands. */
export class StepList {
  #numbers = new Int32Array(3 * 64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A run of differences: where it starts in both files, and how long it is; up to the next one all is literal. */
  add(oldStart: number, newStart: number, length: number): void {
    if (3 * this.#length === this.#numbers.length) {
      const larger = new Int32Array(2 * this.#numbers.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers.set([oldStart, newStart, length], 3 * this.#length++);
  }

  oldStart(step: number): number {
    return this.#numbers[3 * step] as number;
  }

  newStart(step: number): number {
    return this.#numbers[3 * step + 1] as number;
  }

  /** The length of the run of differences of a step. */
  runLength(step: number): number {
    return this.#numbers[3 * step + 2] as number;
  }
}

/** The patch that consists of these steps, in the stream form that `bspatch` describes. */
export function encodeSteps({ old: oldBytes, new: newBytes }: FilePair, steps: StepList): Uint8Array {
  if (newBytes.length === 0) return new Uint8Array(0);
  const patch = new Uint8Array(newBytes.length + HEADER * steps.length);
  let at = 0;
  for (let step = 0; step < steps.length; step++) {
    const oldStart = steps.oldStart(step);
    const newStart = steps.newStart(step);
    const run = steps.runLength(step);
    const isLast = step + 1 === steps.length;
    const end = isLast ? newBytes.length : steps.newStart(step + 1);
    encodeOffsetNumber(run, patch, at);
    encodeOffsetNumber(end - newStart - run, patch, at + OFFSET_NUMBER_SIZE);
    encodeOffsetNumber(isLast ? 0 : steps.oldStart(step + 1) - oldStart - run, patch, at + 2 * OFFSET_NUMBER_SIZE);
    at += HEADER;
    for (let i = 0; i < run; i++)
      patch[at + i] = (newBytes[newStart + i] as number) - (oldBytes[oldStart + i] as number);
    patch.set(newBytes.subarray(newStart + run, end), at + run);
    at += end - newStart;
  }
  return patch;
}
