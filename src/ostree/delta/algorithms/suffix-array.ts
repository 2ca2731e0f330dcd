/**
 * Suffix arrays by induced sorting (Nong, Zhang and Chan 2009), the names of its substrings ranked by doubling.
 *
 * Words used below. A suffix is *small* when it sorts before the suffix that starts one byte later, else *large*; the end
 * of the text counts as smaller than everything, so the last byte starts a large one. A *valley* is a small suffix right
 * behind a large one. Once the valleys are in order, one sweep from the left puts every large suffix into place and one
 * from the right every small one. The same two sweeps over unordered valleys order them by the stretch of text up to the
 * next valley. At most every second suffix is a valley, so all working space lies in the unused half of the result.
 */
import { rankByDoubling } from './rank-doubling.ts';

/**
 * Where each suffix of `text` starts, in ascending order of the suffixes. Time near linear for every text, 4 bytes of
 * memory a byte: the result. Limit: 2^31 - 1 bytes.
 */
export function buildSuffixArray(text: Uint8Array): Int32Array {
  const result = new Int32Array(text.length);
  if (text.length < 2) return result;
  const ends = bucketEnds(text);
  const valleys = placeValleys(text, result, ends.slice());
  if (valleys > 1) orderValleys(text, result, ends, valleys);
  sweepLarge(text, result, ends);
  sweepSmall(text, result, ends);
  return result;
}

/** For every byte value, where the suffixes that start with it end in the result. */
function bucketEnds(text: Uint8Array): Int32Array {
  const ends = new Int32Array(256);
  for (let i = 0; i < text.length; i++) ends[text[i] as number] = (ends[text[i] as number] as number) + 1;
  for (let c = 1; c < 256; c++) ends[c] = (ends[c] as number) + (ends[c - 1] as number);
  return ends;
}

/** For every byte value, where its suffixes start. */
function bucketStarts(ends: Int32Array): Int32Array {
  const starts = new Int32Array(256);
  starts.set(ends.subarray(0, 255), 1);
  return starts;
}

/** Call `visit` for every valley, from the last to the first. */
function forEachValley(text: Uint8Array, visit: (position: number) => void): void {
  let next = text[text.length - 1] as number;
  let small = false;
  for (let i = text.length - 2; i >= 0; i--) {
    const byte = text[i] as number;
    if (byte < next) small = true;
    else if (byte > next) {
      if (small) visit(i + 1);
      small = false;
    }
    next = byte;
  }
}

/** Every valley into the bucket of its byte, in no particular order; their number. */
function placeValleys(text: Uint8Array, result: Int32Array, ends: Int32Array): number {
  let count = 0;
  forEachValley(text, (position) => {
    const c = text[position] as number;
    const slot = (ends[c] as number) - 1;
    ends[c] = slot;
    result[slot] = position;
    count++;
  });
  return count;
}

/** From unordered valleys in their buckets to ordered ones. */
function orderValleys(text: Uint8Array, result: Int32Array, ends: Int32Array, count: number): void {
  sortStretches(text, result, ends);
  gather(result, count);
  const n = text.length;
  const order = result.subarray(0, count);
  const ranks = result.subarray(n - count);
  if (nameStretches(text, result, count) < count) {
    rankByDoubling(ranks, order);
    // the ranks have served; their place takes the valleys in the order of the text
    let slot = count;
    forEachValley(text, (position) => {
      ranks[--slot] = position;
    });
    for (let i = 0; i < count; i++) order[i] = ranks[order[i] as number] as number;
  }
  result.fill(0, count);
  const slots = ends.slice();
  for (let i = count - 1; i >= 0; i--) {
    const position = result[i] as number;
    const c = text[position] as number;
    const slot = (slots[c] as number) - 1;
    slots[c] = slot;
    result[i] = 0;
    result[slot] = position;
  }
}

/**
 * The two sweeps over unordered valleys. In a slot, 0 is nothing; from left to right a positive number is a suffix whose
 * predecessor is large and still to be placed; then, from right to left, one whose predecessor is small. What remains,
 * as complements, are the valleys in the order of their stretches.
 */
function sortStretches(text: Uint8Array, result: Int32Array, ends: Int32Array): void {
  const n = text.length;
  const starts = bucketStarts(ends);
  placeLarge(text, result, starts, n - 1);
  for (let i = 0; i < n; i++) {
    const value = result[i] as number;
    if (value > 0) {
      result[i] = 0;
      placeLarge(text, result, starts, value - 1);
    } else if (value < 0) result[i] = ~value;
  }
  const slots = ends.slice();
  for (let i = n - 1; i >= 0; i--) {
    const value = result[i] as number;
    if (value <= 0) continue;
    result[i] = 0;
    placeSmall(text, result, slots, value - 1, 0);
  }
}

/** The next slot of its bucket for a large suffix; complemented when the suffix before it is small. */
function placeLarge(text: Uint8Array, result: Int32Array, starts: Int32Array, position: number): void {
  const c = text[position] as number;
  const slot = starts[c] as number;
  starts[c] = slot + 1;
  result[slot] = position > 0 && (text[position - 1] as number) < c ? ~position : position;
}

/** The last free slot of its bucket for a small suffix; complemented when the suffix before it is large. */
function placeSmall(text: Uint8Array, result: Int32Array, slots: Int32Array, position: number, first: number): void {
  const c = text[position] as number;
  const slot = (slots[c] as number) - 1;
  slots[c] = slot;
  if (position === 0) result[slot] = first;
  else result[slot] = (text[position - 1] as number) > c ? ~position : position;
}

/** The complements in front, in their order and as they were; zeros behind. */
function gather(result: Int32Array, count: number): void {
  let found = 0;
  for (let i = 0; found < count; i++) {
    const value = result[i] as number;
    if (value < 0) result[found++] = ~value;
  }
  result.fill(0, count);
}

/**
 * Name every stretch with the last place that it, or one equal to it, has in the order; the names, in the order of the
 * text, end up at the end of `result`. Returns how many different ones there are.
 *
 * A stretch reaches to the first byte of the next valley, and equal bytes mean equal kinds of suffixes all along. The
 * last one reaches to the end of the text and is equal to none: its length is noted as 0.
 */
function nameStretches(text: Uint8Array, result: Int32Array, count: number): number {
  const n = text.length;
  let following = -1;
  // valleys are at least two apart: half of a position is a slot of its own
  forEachValley(text, (position) => {
    result[count + (position >> 1)] = following < 0 ? 0 : following - position + 1;
    following = position;
  });
  let names = 0;
  let name = count;
  let later = 0;
  let laterLength = -1;
  for (let i = count - 1; i >= 0; i--) {
    const position = result[i] as number;
    const length = result[count + (position >> 1)] as number;
    if (length === 0 || length !== laterLength || !sameBytes(text, position, later, length)) {
      names++;
      name = i + 1; // one more than the place, for 0 is an empty slot
    }
    result[count + (position >> 1)] = name;
    later = position;
    laterLength = length;
  }
  for (let i = n - 1, slot = n; i >= count; i--) {
    if (result[i] !== 0) result[--slot] = (result[i] as number) - 1;
  }
  return names;
}

function sameBytes(text: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (text[a + i] !== text[b + i]) return false;
  return true;
}

/** Every large suffix into place; afterwards a positive number is one whose predecessor is small. */
function sweepLarge(text: Uint8Array, result: Int32Array, ends: Int32Array): void {
  const starts = bucketStarts(ends);
  placeLarge(text, result, starts, text.length - 1);
  for (let i = 0; i < text.length; i++) {
    const value = result[i] as number;
    result[i] = ~value;
    if (value > 0) placeLarge(text, result, starts, value - 1);
  }
}

/** Every small suffix into place, valleys included; afterwards there are no complements any more. */
function sweepSmall(text: Uint8Array, result: Int32Array, ends: Int32Array): void {
  const slots = ends.slice();
  for (let i = text.length - 1; i >= 0; i--) {
    const value = result[i] as number;
    if (value > 0) placeSmall(text, result, slots, value - 1, ~0);
    else result[i] = ~value;
  }
}
