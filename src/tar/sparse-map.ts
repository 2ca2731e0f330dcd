/** The parts of a sparse file that hold data, checked as they come in. */
import type { SparsePart } from './entry.ts';
import { malformed, overLimit } from './error.ts';

export class SparseMap {
  readonly #limit: number;
  readonly #parts: { offset: number; length: number }[] = [];
  /** Parts that came in, empty ones too: an endless map may have nothing else. */
  #added = 0;
  #end = 0;
  #stored = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The next part; parts come in order and do not overlap. Empty ones mark ends and are forgotten. */
  add(offset: number, length: number): void {
    if (++this.#added > this.#limit) throw overLimit('sparse map', this.#limit, 'parts');
    if (offset < this.#end) throw malformed('sparse map', `a part at or behind byte ${this.#end}`, offset);
    const last = this.#parts.at(-1);
    if (last !== undefined && length > 0 && last.offset + last.length === offset) last.length += length;
    else if (length > 0) this.#parts.push({ offset, length });
    this.#end = offset + length;
    this.#stored += length;
  }

  /**
   * The parts of a file of `size` bytes of which `stored` are in the archive; undefined when they leave no hole.
   * Parts lie in the archive one behind the other without padding.
   */
  finish(size: number, stored: number): readonly SparsePart[] | undefined {
    if (this.#end > size) throw malformed('sparse map', `no part behind the size of ${size}`, this.#end);
    if (this.#stored !== stored) throw malformed('sparse map', `parts of ${stored} bytes together`, this.#stored);
    return stored === size ? undefined : this.#parts;
  }
}
