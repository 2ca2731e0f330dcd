/**
 * A layer packed as a gzip of many members, which every reader takes for one stream (RFC 1952, 2.2): what is deflated
 * already goes in as it is, what cannot be made smaller is stored, and the rest is packed in blocks, several at once.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, gzip } from 'node:zlib';
import { collectBuffers } from '../../../linux/processes/collect-buffers.ts';
import type { Digest } from '../../../oci/index.ts';
import { PACKING_LEVEL } from '../../new-image/index.ts';

const pack = promisify(gzip);

/** What is packed at once: more makes the blob no smaller by a thousandth. */
const BLOCK = 2 ** 20;
/** Most blocks become half as large. */
const ZLIB = { level: PACKING_LEVEL, chunkSize: BLOCK / 2 };
/** Blocks on their way. */
const AT_ONCE = 4;
/** Deflate, no name, no time, no hint about effort, the system "unknown": the same everywhere. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
const OS_BYTE = 9;
/** Of one block of deflate that is not packed. */
const STORED = 65_535;

export interface PackedFacts {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
}

export class GzipMembers {
  readonly #out: (bytes: Uint8Array) => void;
  readonly #content = createHash('sha256');
  readonly #blob = createHash('sha256');
  #size = 0;
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK);
  readonly #free: Buffer[] = [];
  #filled = 0;
  readonly #packing: Promise<Uint8Array>[] = [];
  #body: { crc: number; size: number } | undefined;

  /** @param out takes each piece before it returns */
  constructor(out: (bytes: Uint8Array) => void) {
    this.#out = out;
  }

  /** The next bytes of the tar. They are the caller's again when this has resolved. */
  readonly write = async (chunk: Uint8Array): Promise<void> => {
    this.#content.update(chunk);
    if (this.#body !== undefined) {
      this.#body.crc = crc32(chunk, this.#body.crc);
      this.#body.size += chunk.length;
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK) await this.#flush();
    }
  };

  /** What is written from here to `endBody` comes as a member of its own. */
  async beginBody(): Promise<void> {
    await this.#flush();
    await this.#drain(0);
    this.#body = { crc: 0, size: 0 };
  }

  /** @param deflated a whole stream of raw deflate that gives what was written */
  async endBody(deflated: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const body = this.#body;
    if (body === undefined) throw new Error('unreachable: the end of a body without its beginning');
    this.#body = undefined;
    this.#emit(HEADER);
    for await (const chunk of deflated) this.#emit(chunk);
    const trailer = Buffer.allocUnsafe(8);
    trailer.writeUInt32LE(body.crc, 0);
    trailer.writeUInt32LE(body.size % 2 ** 32, 4);
    this.#emit(trailer);
  }

  async finish(): Promise<PackedFacts> {
    await this.#flush();
    await this.#drain(0);
    return {
      digest: `sha256:${this.#blob.digest('hex')}`,
      size: this.#size,
      diffId: `sha256:${this.#content.digest('hex')}`,
    };
  }

  /** After a failure: nobody writes any more when this has resolved. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#packing);
  }

  async #flush(): Promise<void> {
    collectBuffers();
    if (this.#filled === 0) return;
    const block = this.#block;
    const packing = pack(block.subarray(0, this.#filled), ZLIB).finally(() => this.#free.push(block));
    packing.catch(() => undefined); // waited for below
    this.#packing.push(packing);
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
    this.#filled = 0;
    await this.#drain(AT_ONCE - 1);
  }

  /** In their order. */
  async #drain(left: number): Promise<void> {
    while (this.#packing.length > left) {
      const packed = await this.#packing.shift();
      if (packed === undefined) return;
      packed[OS_BYTE] = 255;
      this.#emit(packed);
    }
  }

  #emit(bytes: Uint8Array): void {
    this.#blob.update(bytes);
    this.#size += bytes.length;
    this.#out(bytes);
  }
}

/** Pieces of such a length, whose last one ends the stream, give the same blocks as the whole. */
export const STORED_PIECE = 16 * STORED;

/** Raw deflate that packs nothing. @param isLast the stream ends with these bytes */
export function* storedBlocks(bytes: Uint8Array, isLast = true): Generator<Uint8Array> {
  let at = 0;
  do {
    const part = bytes.subarray(at, at + STORED);
    at += part.length;
    const head = Buffer.allocUnsafe(5);
    head.writeUInt8(isLast && at >= bytes.length ? 1 : 0, 0);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(part.length ^ 0xffff, 3);
    yield head;
    yield part;
  } while (at < bytes.length);
}
