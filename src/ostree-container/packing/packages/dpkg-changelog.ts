/** When a Debian package changed: the last lines of the entries of its changelog, where an image has it. */

import { codeOf } from '../../../base/error.ts';
import { decompress } from '../../../compression/index.ts';
import type { Checksum } from '../../../ostree/index.ts';
import type { CommitTree } from '../tree/commit-tree.ts';

/** Newest entries come first: a year of them is in the first pages. */
const HEAD = 256 * 2 ** 10;
/** ` -- Name <address>  Mon, 05 Jan 2026 10:00:00 +0100` */
const TRAILER =
  /^ -- .*> {1,2}(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\s*$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export class ChangelogReader {
  readonly #tree: CommitTree;
  /** Packages of one source share it. */
  readonly #known = new Map<Checksum, readonly number[]>();

  constructor(tree: CommitTree) {
    this.#tree = tree;
  }

  /** Newest first; empty where there is no changelog that can be read: documentation is often left out of images. */
  async read(name: string): Promise<readonly number[]> {
    for (const file of ['changelog.Debian.gz', 'changelog.gz']) {
      const path = `/usr/share/doc/${name}/${file}`;
      const checksum = this.#tree.regular(path);
      if (checksum === undefined) continue;
      const times = this.#known.get(checksum) ?? (await this.#times(path));
      this.#known.set(checksum, times);
      if (times.length > 0) return times;
    }
    return [];
  }

  async #times(path: string): Promise<readonly number[]> {
    const stored = this.#tree.open(path);
    if (stored === undefined) return [];
    try {
      return parseChangelogTimes((await head(stored.chunks())).toString('latin1'));
    } catch (error) {
      if (codeOf(error)?.startsWith('COMPRESSION_') === true) return []; // a document like any other, not the database
      throw error;
    } finally {
      stored.close();
    }
  }
}

/** Lines that are no ends of entries are text. */
export function parseChangelogTimes(text: string): number[] {
  const times = text.split('\n').flatMap((line) => timeOf(TRAILER.exec(line)) ?? []);
  return times.sort((a, b) => b - a);
}

function timeOf(match: RegExpExecArray | null): number | undefined {
  const [, day, name = '', year, hour, minute, second, sign, hours, minutes] = match ?? [];
  const month = MONTHS.indexOf(name);
  if (match === null || month < 0) return undefined;
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === '-' ? -1 : 1);
  return local / 1000 - offset;
}

async function head(compressed: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decompress(compressed, { format: 'gzip', limit: Number.MAX_SAFE_INTEGER })) {
    chunks.push(Uint8Array.prototype.slice.call(chunk, 0, HEAD - size));
    size += chunk.length;
    if (size >= HEAD) break;
  }
  return Buffer.concat(chunks);
}
