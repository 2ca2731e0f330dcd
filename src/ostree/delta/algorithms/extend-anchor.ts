import type { Anchor, FilePair } from './anchor-finder.ts';

/** How far an anchor reaches, up to `end` in the new file, so that agreeing bytes outweigh the others by the most. */
export function extendForward(files: FilePair, anchor: Anchor, end: number): number {
  const { old: oldBytes, new: newBytes } = files;
  const { oldStart, newStart } = anchor;
  const limit = Math.min(end - newStart, oldBytes.length - oldStart);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 0; i < limit; i++) {
    balance += oldBytes[oldStart + i] === newBytes[newStart + i] ? 1 : -1;
    if (balance > best) {
      best = balance;
      length = i + 1;
    }
  }
  return length;
}

/** The same towards the front, from the start of the anchor, and not before `start` in the new file. */
export function extendBack(files: FilePair, anchor: Anchor, start: number): number {
  const { old: oldBytes, new: newBytes } = files;
  const { oldStart, newStart } = anchor;
  const limit = Math.min(newStart - start, oldStart);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 1; i <= limit; i++) {
    balance += oldBytes[oldStart - i] === newBytes[newStart - i] ? 1 : -1;
    if (balance > best) {
      best = balance;
      length = i;
    }
  }
  return length;
}

/** Of the bytes from `start` to `end` in the new file, which two anchors reach, how many are best left to the first. */
export function splitOverlap(
  files: FilePair,
  [first, second]: readonly [Anchor, Anchor],
  { start, end }: { readonly start: number; readonly end: number },
): number {
  const { old: oldBytes, new: newBytes } = files;
  const firstOffset = first.oldStart - first.newStart;
  const secondOffset = second.oldStart - second.newStart;
  let balance = 0;
  let best = 0;
  let split = 0;
  for (let i = start; i < end; i++) {
    if (newBytes[i] === oldBytes[i + firstOffset]) balance++;
    if (newBytes[i] === oldBytes[i + secondOffset]) balance--;
    if (balance > best) {
      best = balance;
      split = i + 1 - start;
    }
  }
  return split;
}
