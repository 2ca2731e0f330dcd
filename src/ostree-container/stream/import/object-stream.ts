/** The objects of an export stream, in their order, and nothing else of it (spec ostree-container 2.3). */

import type { Checksum } from '../../../ostree/index.ts';
import { readTar, type TarStreamEntry } from '../../../tar/index.ts';
import { StreamError } from '../error.ts';
import type { StreamObjectType } from '../layout.ts';
import { STREAM_LIMITS, type StreamLimits } from '../limits.ts';
import { streamName } from '../object-name.ts';

export interface StreamObject {
  readonly type: StreamObjectType;
  readonly checksum: Checksum;
  /** Its data are gone when the next object is asked for. */
  readonly entry: TarStreamEntry;
}

/** Names of tar may be longer than any path of Linux: nobody makes files of them here. */
const PATH_LENGTH = 2 ** 20;
/** Attributes stand in pax headers as well, as `SCHILY.xattr.NAME`. */
const HEADER_BYTES = 4 * 2 ** 20;

/** Read it to its end or close it. */
export class ObjectStream {
  readonly limits: StreamLimits;
  readonly #entries: AsyncGenerator<TarStreamEntry>;
  /** What was asked for and given back. */
  #next: StreamObject | undefined;
  #version: 'v0' | 'v1' | undefined;

  /** @param tar uncompressed; a chunk may be used again by its source when the next one is asked for */
  constructor(tar: AsyncIterable<Uint8Array>, limits: Partial<StreamLimits> = {}) {
    this.limits = { ...STREAM_LIMITS, ...limits };
    const { entries, bytes } = this.limits;
    this.#entries = readTar(bounded(tar, bytes), { entries, pathLength: PATH_LENGTH, headerBytes: HEADER_BYTES });
  }

  /** Format v0 leaves empty lists of attributes out; nothing in this stream so far says that it is of v1. */
  get mayBeOld(): boolean {
    return this.#version !== 'v1';
  }

  /** Undefined at the end, when the source was read to its end, too. @throws TarError; StreamError STREAM_MALFORMED */
  async next(): Promise<StreamObject | undefined> {
    const waiting = this.#next;
    this.#next = undefined;
    if (waiting !== undefined) return waiting;
    for (;;) {
      const { done, value: entry } = await this.#entries.next();
      if (done === true) return undefined;
      const name = streamName(entry);
      if (name.kind === 'config') this.#sign('v1');
      if (name.kind !== 'object') continue;
      if (name.type.startsWith('file-xattrs')) this.#sign(name.isOld ? 'v0' : 'v1');
      return { type: name.type, checksum: name.checksum, entry };
    }
  }

  /** The object that was just handed out, its data unread, will be the next one again. */
  giveBack(object: StreamObject): void {
    this.#next = object;
  }

  async close(): Promise<void> {
    await this.#entries.return(undefined);
  }

  /** v0 has its configuration elsewhere: what else v0 has is an error behind it. */
  #sign(version: 'v0' | 'v1'): void {
    this.#version ??= version;
    if (this.#version !== version)
      throw new StreamError('STREAM_MALFORMED', 'the stream is of format v0 and of format v1 at once');
  }
}

/** The bytes of an object that has to be a file, at most so many. @throws StreamError STREAM_MALFORMED, STREAM_LIMIT */
export async function readObject({ type, checksum, entry }: StreamObject, limit: number): Promise<Uint8Array> {
  const what = `${type} ${checksum}`;
  if (entry.type !== 'file') {
    throw new StreamError('STREAM_MALFORMED', `${what}: expected a file, found a ${entry.type}`, {
      subject: checksum,
    });
  }
  if (entry.size > limit) {
    throw new StreamError('STREAM_LIMIT', `${what}: ${entry.size} bytes, more than the limit of ${limit}`, {
      subject: checksum,
    });
  }
  const bytes = Buffer.allocUnsafeSlow(entry.size);
  let filled = 0;
  for await (const chunk of entry.data()) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

async function* bounded(source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw new StreamError('STREAM_LIMIT', `the stream has more than ${limit} bytes`);
    yield chunk;
  }
}
