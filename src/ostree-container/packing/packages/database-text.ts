/** Files of databases: whole, bounded each and all together. */
import { collect } from '../../../base/bytes.ts';
import { PackingError } from '../error.ts';
import type { CommitTree } from '../tree/commit-tree.ts';

/** Several times what the largest distributions have. */
const TOTAL_LIMIT = 256 * 2 ** 20;

export class DatabaseFiles {
  readonly tree: CommitTree;
  #left: number;

  /** @param limit of all files together, in bytes */
  constructor(tree: CommitTree, limit = TOTAL_LIMIT) {
    this.tree = tree;
    this.#left = limit;
  }

  /** Undefined when there is no such file. @throws PackingError TOO_LARGE */
  async bytes(path: string, limit: number): Promise<Uint8Array | undefined> {
    const stored = this.tree.open(path);
    if (stored === undefined) return undefined;
    try {
      const most = Math.min(limit, this.#left);
      if (stored.size > most) throw new PackingError('TOO_LARGE', `${path}: larger than the limit of ${most} bytes`);
      // The number in the object's header is not believed: a compressed object may hold more.
      const bytes = await collect(stored.chunks(), most, path);
      this.#left -= bytes.length;
      return bytes;
    } finally {
      stored.close();
    }
  }

  /** What is no UTF-8 becomes U+FFFD: names in commits are UTF-8, so such a path names nothing, and no other is read. */
  async text(path: string, limit: number): Promise<string | undefined> {
    const bytes = await this.bytes(path, limit);
    return bytes === undefined ? undefined : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }
}

/** One at a time: a list of all lines of a hostile file would be larger than any memory. */
export function* linesOf(text: string): Generator<string> {
  let at = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
    yield text.slice(at, end);
    at = end + 1;
  }
  yield text.slice(at);
}
