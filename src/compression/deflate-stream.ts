/**
 * Raw deflate (RFC 1951) of a stream, cut into pieces that zlib's threads pack side by side; one stream comes out, as
 * of one thread. Where it is cut depends on the content alone.
 */
import { constants, deflateRaw } from 'node:zlib';

/** Each refers back into the one before, so that the cuts cost less than a thousandth. */
const PIECE = 2 ** 19;
/** How far back deflate can refer. */
const WINDOW = 2 ** 15;
/** Pieces on their way: Node has four threads for zlib. */
const AT_ONCE = 4;
/** A larger table of what was seen: a tenth less time for 128 KiB in each thread. */
const MEM_LEVEL = 9;

/** @param onContent sees all that is packed, in order, before it is. A chunk of the source is its own when the next one is asked for */
export async function* deflateStream(
  source: AsyncIterable<Uint8Array>,
  level: number,
  onContent: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const work: Promise<Uint8Array>[] = [];
  const pieces = new Pieces();
  let before: Uint8Array = new Uint8Array();
  const begin = (piece: Uint8Array, last: boolean): void => {
    const packed = pack(piece, { level, before, last });
    before = Uint8Array.prototype.slice.call(piece, -WINDOW); // the piece is used again
    packed.catch(() => undefined); // waited for in its turn
    work.push(packed.finally(() => pieces.giveBack(piece)));
    work.at(-1)?.catch(() => undefined); // the same
  };
  try {
    for await (const chunk of source) {
      onContent(chunk);
      for (const full of pieces.fill(chunk)) {
        begin(full, false);
        if (work.length < AT_ONCE) continue;
        const first = await work.shift();
        if (first !== undefined) yield first;
      }
    }
    begin(pieces.rest(), true);
    for (const packed of work) yield await packed;
  } finally {
    await Promise.allSettled(work); // zlib reads from our pieces
  }
}

/** Buffers of one size, filled one after the other and used again. */
class Pieces {
  readonly #free: Buffer[] = [];
  #room: Buffer | undefined;
  #filled = 0;

  /** Those that have become full; one that is followed by nothing may be the last. */
  *fill(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#filled === PIECE) yield this.rest();
      this.#room ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE);
      const part = chunk.subarray(at, at + PIECE - this.#filled);
      this.#room.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  rest(): Uint8Array {
    const rest = (this.#room ?? Buffer.alloc(0)).subarray(0, this.#filled);
    this.#room = undefined;
    this.#filled = 0;
    return rest;
  }

  giveBack(piece: Uint8Array): void {
    if (piece.buffer.byteLength === PIECE) this.#free.push(Buffer.from(piece.buffer));
  }
}

interface PackOptions {
  readonly level: number;
  readonly before: Uint8Array;
  readonly last: boolean;
}

/** All but the last end on a byte boundary, so that the next one goes on there. */
function pack(piece: Uint8Array, { level, before, last }: PackOptions): Promise<Uint8Array> {
  const options = {
    level,
    memLevel: MEM_LEVEL,
    chunkSize: PIECE / 2, // what most pieces are packed into
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(before.length > 0 && { dictionary: before }),
  };
  return new Promise((resolve, reject) =>
    deflateRaw(piece, options, (error, packed) => (error === null ? resolve(packed) : reject(error))),
  );
}
