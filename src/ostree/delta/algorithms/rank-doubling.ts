/**
 * Ranks of the suffixes of a sequence by doubling (Larsson and Sadakane 1999).
 *
 * `ranks[k]` is the number of the group of suffix k: the last place of the group in the order, so that finer ranks never
 * contradict coarser ones. All suffixes of a group agree in their first h members; the rank of the suffix h further on
 * splits the group, and h doubles. Only groups of more than one are looked at.
 */

/** Groups up to this size are split by looking for their smallest key again and again. */
const SMALL_GROUP = 8;

/**
 * Order all suffixes of a sequence. On entry `ranks[k]` is the last place of the group of member k among all members; the
 * last member must be alone in its group. On return `order` holds the suffixes in ascending order, and `ranks` places.
 * In O(n log n) whatever the sequence; no memory beyond the two arrays.
 */
export function rankByDoubling(ranks: Int32Array, order: Int32Array): void {
  fillGroups(ranks, order);
  for (let step = 1; splitGroups(ranks, order, step); step *= 2);
  for (let k = 0; k < ranks.length; k++) order[ranks[k] as number] = k;
}

/** The members of every group into its places; in `order`, -1 is a group of one. */
function fillGroups(ranks: Int32Array, order: Int32Array): void {
  order.fill(0);
  for (let k = 0; k < ranks.length; k++) order[ranks[k] as number] = (order[ranks[k] as number] as number) + 1;
  // the last place of a group holds its first free place until it is filled itself
  for (let last = 0; last < order.length; last++) {
    const size = order[last] as number;
    if (size > 0) order[last] = size === 1 ? -1 : last - size + 1;
  }
  for (let k = 0; k < ranks.length; k++) {
    const last = ranks[k] as number;
    const free = order[last] as number;
    if (free < 0) continue;
    if (free < last) order[last] = free + 1;
    order[free] = k;
  }
}

/** One round over all groups; whether there was one to split. Runs of groups of one become minus their number. */
function splitGroups(ranks: Int32Array, order: Int32Array, step: number): boolean {
  const sorter = new GroupSorter(ranks, order, step);
  let found = false;
  let run = 0;
  let place = 0;
  while (place < order.length) {
    const value = order[place] as number;
    if (value < 0) {
      place -= value;
      run -= value;
      continue;
    }
    if (run > 0) order[place - run] = -run;
    run = 0;
    const last = ranks[value] as number;
    sorter.sort(place, last);
    found = true;
    place = last + 1;
  }
  if (run > 0) order[place - run] = -run;
  return found;
}

/**
 * Splits one group after the other by the rank `step` further on: a quicksort with three ways. Smaller keys are finished
 * first, which keeps ranks consistent while they change: what is not finished still has the number of the whole group.
 */
class GroupSorter {
  readonly #ranks: Int32Array;
  readonly #order: Int32Array;
  readonly #step: number;
  /** Pairs of first and last place yet to do, the next one on top; a complemented last place is a finished group. */
  readonly #pending: number[] = [];
  #random = 1;

  constructor(ranks: Int32Array, order: Int32Array, step: number) {
    this.#ranks = ranks;
    this.#order = order;
    this.#step = step;
  }

  sort(first: number, last: number): void {
    const pending = this.#pending;
    pending.push(first, last);
    while (pending.length > 0) {
      const to = pending.pop() as number;
      const from = pending.pop() as number;
      if (to < 0) this.#finish(from, ~to);
      else if (to - from < SMALL_GROUP) this.#select(from, to);
      else this.#partition(from, to);
    }
  }

  #key(place: number): number {
    return this.#ranks[(this.#order[place] as number) + this.#step] as number;
  }

  #swap(a: number, b: number): void {
    const order = this.#order;
    const value = order[a] as number;
    order[a] = order[b] as number;
    order[b] = value;
  }

  #finish(first: number, last: number): void {
    for (let i = first; i <= last; i++) this.#ranks[this.#order[i] as number] = last;
    if (first === last) this.#order[first] = -1;
  }

  #select(from: number, last: number): void {
    for (let first = from; first <= last; ) {
      let smallest = this.#key(first);
      let end = first + 1;
      for (let i = first + 1; i <= last; i++) {
        const key = this.#key(i);
        if (key > smallest) continue;
        if (key < smallest) end = first;
        smallest = key;
        this.#swap(i, end++);
      }
      this.#finish(first, end - 1);
      first = end;
    }
  }

  #partition(from: number, to: number): void {
    const pivot = this.#pivot(from, to);
    let less = from;
    let greater = to;
    for (let i = from; i <= greater; ) {
      const key = this.#key(i);
      if (key < pivot) this.#swap(less++, i++);
      else if (key > pivot) this.#swap(i, greater--);
      else i++;
    }
    const pending = this.#pending;
    if (greater < to) pending.push(greater + 1, to);
    pending.push(less, ~greater);
    if (less > from) pending.push(from, less - 1);
  }

  /** The median of three keys at places nobody can foresee, so that no input makes the sort quadratic. */
  #pivot(from: number, to: number): number {
    const a = this.#sample(from, to);
    const b = this.#sample(from, to);
    const c = this.#sample(from, to);
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  #sample(from: number, to: number): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return this.#key(from + ((this.#random >>> 0) % (to - from + 1)));
  }
}
