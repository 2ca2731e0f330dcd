/** A directory that is being committed: open until the last of its files is stored. */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { OstreeError } from '../error.ts';
import { compareNames } from '../objects/order.ts';
import type { Held } from './file-queue.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;

/** As many as there are in the longest path that Linux takes in one call. */
const DEEPEST = 2048;

export class ScannedDirectory implements Held {
  readonly fd: number;
  /** From the root of the tree. */
  readonly path: string;
  readonly #depth: number;
  #holders = 1;

  /** Takes over the descriptor, and is held by its maker. */
  constructor(fd: number, path: string, depth: number) {
    this.fd = fd;
    this.path = path;
    this.#depth = depth;
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) fs.closeSync(this.fd);
  }

  /** For one call on a name in it, in any thread. */
  at(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  pathOf(name: string): string {
    return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
  }

  /** Sorted. @throws OstreeError FILE_NAME for a name that is not UTF-8 */
  list(): string[] {
    return naming(this.path, () => {
      const names = fs.readdirSync(this.at('.'));
      // What Node could not decode has this character; and so have names that really contain it.
      if (names.some((name) => name.includes('\ufffd'))) this.#assertUtf8();
      return names.sort(compareNames);
    });
  }

  /** Of a name that was a directory a moment ago. @throws OstreeError FILE_CHANGED, TOO_LARGE */
  enter(name: string): ScannedDirectory {
    const path = this.pathOf(name);
    if (this.#depth >= DEEPEST) {
      throw new OstreeError('TOO_LARGE', `${printable(path)}: more than ${DEEPEST} directories below each other`);
    }
    try {
      const fd = naming(path, () => fs.openSync(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      return new ScannedDirectory(fd, path, this.#depth + 1);
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw new OstreeError('FILE_CHANGED', `${printable(path)}: is not the directory any more that it was`, {
        cause: error,
        subject: path,
      });
    }
  }

  #assertUtf8(): void {
    for (const name of fs.readdirSync(this.at('.'), { encoding: 'buffer' })) {
      if (decodeUtf8(name) !== undefined) continue;
      const shown = this.pathOf(name.toString('latin1'));
      throw new OstreeError('FILE_NAME', `${printable(shown)}: this name is not UTF-8 (shown as Latin-1)`, {
        subject: shown,
      });
    }
  }
}
