/** Contents that are too large for the memory: received into a file, resumed, then verified and stored from there. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { formatBytes } from '../../base/text.ts';
import { freeBytes, StagedFile } from '../../linux/files/durable.ts';
import { OstreeError } from '../error.ts';
import type { Pool } from '../jobs/pool.ts';
import type { Checksum } from '../objects/checksum.ts';
import { archiveHeaderEnd } from '../objects/file-header.ts';
import { objectPath } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';
import { type DownloadCache, openDownloadCache } from './download-cache.ts';
import type { Large, Origin } from './origin.ts';
import { notThere } from './transfer.ts';

/** Deflate makes nothing longer by more than a few bytes in each block; twice the content and this is not deflate. */
const SLACK = 2 ** 20;
/** Length word, padding, and the size as the first member of the header. */
const START = 16;

export interface LargePorts {
  readonly repository: Repository;
  readonly origin: Origin;
  readonly pool: () => Pool;
  /** Store `.filez` bytes as they are. */
  readonly keepBytes: boolean;
  readonly plainModes: boolean;
  readonly signal: AbortSignal;
}

export class LargeObjects {
  readonly #ports: LargePorts;
  #cache: DownloadCache | undefined;

  constructor(ports: LargePorts) {
    this.#ports = ports;
  }

  /**
   * One after the other: parallel streams gain nothing, and would share the time until each is whole.
   * @param start what has come of it already
   */
  fetch(
    checksum: Checksum,
    start: Uint8Array,
    onReceived: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { origin } = this.#ports;
    const begun = Buffer.from(start); // the memory is somebody else's by the time that it is our turn
    return origin.inTurn(async () => {
      const found = await origin.locate('content', `objects/${objectPath(checksum, 'filez')}`, signal);
      if (found === undefined) throw notThere('file', checksum);
      await this.#within(checksum, async (file) => {
        if (file.size < begun.length) {
          file.truncate();
          file.write(begun);
        }
        await this.#download(file, checksum, found, onReceived, signal);
      });
    });
  }

  /** A content that is in memory, and unpacks to more than is handled there. */
  store(checksum: Checksum, bytes: Uint8Array): Promise<void> {
    return this.#within(checksum, async (file) => {
      file.truncate();
      file.write(bytes);
    });
  }

  close(): void {
    this.#cache?.close();
    this.#cache = undefined;
  }

  async #within(checksum: Checksum, fill: (file: StagedFile) => Promise<void>): Promise<void> {
    this.#cache ??= openDownloadCache(this.#ports.repository);
    const path = objectPath(checksum, 'filez');
    const fanout = this.#cache.fanout(path.slice(0, 2));
    try {
      const file = StagedFile.resume(fanout, path.slice(3));
      try {
        await fill(file);
      } finally {
        file.keep();
      }
      await this.#import(checksum, fanout.at(path.slice(3)), this.#cache);
    } finally {
      fanout.close();
    }
  }

  async #import(checksum: Checksum, path: string, cache: DownloadCache): Promise<void> {
    const { pool, keepBytes, plainModes } = this.#ports;
    fs.chmodSync(path, 0o644); // an archive links to it
    const objects = [{ checksum, type: 'file' as const }];
    await pool().ready();
    try {
      await pool().run('import-objects', {
        from: [cache.place],
        objects,
        verify: true,
        mayLink: keepBytes,
        plainModes,
      });
    } catch (error) {
      if (codeOf(error)?.startsWith('OBJECT_') === true) fs.rmSync(path, { force: true }); // wrong, and no use to a next run
      throw error;
    }
    fs.rmSync(path, { force: true });
  }

  async #download(
    file: StagedFile,
    checksum: Checksum,
    { url, size }: Large,
    onReceived: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { origin } = this.#ports;
    const check = new ClaimCheck(file, checksum);
    if (size !== undefined) {
      if (file.size > size) file.truncate();
      this.#assertRoom(checksum, size - file.size);
    } else file.truncate();
    const before = file.size;
    const onChunk = (chunk: Uint8Array): void => {
      file.write(chunk);
      origin.count(chunk.length);
      check.assert(size ?? file.size);
    };
    const onRestart = (): void => file.truncate();
    const headers = origin.headers(url);
    if (size === undefined) await origin.client.request(url, { headers, onChunk, onRestart, signal });
    else await origin.client.download(url, { size, offset: file.size, headers, onChunk, onRestart, signal });
    onReceived(Math.max(0, file.size - before));
  }

  #assertRoom(checksum: Checksum, needed: number): void {
    const directory = this.#cache?.directory;
    if (directory === undefined) return;
    const free = freeBytes(directory);
    if (needed <= free) return;
    throw new OstreeError(
      'MIN_FREE_SPACE',
      `file ${checksum}: needs ${formatBytes(needed)}, and ${formatBytes(free)} are free`,
      { subject: checksum },
    );
  }
}

/** Is the body longer than the content that its own header announces can make it? Then it need not be received. */
class ClaimCheck {
  readonly #file: StagedFile;
  readonly #what: string;
  #most: number | undefined;

  constructor(file: StagedFile, checksum: Checksum) {
    this.#file = file;
    this.#what = `file ${checksum}`;
  }

  assert(length: number): void {
    if (this.#file.size < START) return;
    this.#most ??= this.#read();
    if (length <= this.#most) return;
    throw new OstreeError('TOO_LARGE', `${this.#what}: ${length} bytes for a content that takes at most ${this.#most}`);
  }

  #read(): number {
    const [start] = this.#file.contents();
    if (start === undefined) throw new Error('unreachable: a file without its beginning');
    const view = Buffer.from(start.buffer, start.byteOffset, START);
    const claimed = Number(view.readBigUInt64BE(8));
    return archiveHeaderEnd(start, this.#what) + 2 * claimed + SLACK;
  }
}
