import { malformed, tooMuchMemory, truncated, unsupported } from './error.ts';

/** Bytes that belong to one data frame. A frame comes as one or more of these. */
export interface FrameBytes {
  readonly bytes: Uint8Array;
  /** The frame begins, or ends, with them. */
  readonly first: boolean;
  readonly last: boolean;
}

const WHAT = 'zstd stream';
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** The default limit of zstd(1) too; `--ultra --long=28` and above need more. */
const MAX_WINDOW = 128 * 2 ** 20;
const MAX_BLOCK = 128 * 2 ** 10;
/** Magic number, descriptor, window, dictionary id, content size. */
const MAX_HEADER = 4 + 1 + 1 + 4 + 8;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

type Step =
  /** Collects the header until as many bytes are there as it turns out to have. */
  | { readonly kind: 'header' }
  | { readonly kind: 'skip'; readonly left: number }
  | { readonly kind: 'block-header'; readonly value: number; readonly have: number }
  | { readonly kind: 'block'; readonly left: number; readonly last: boolean }
  | { readonly kind: 'checksum'; readonly left: number };

/**
 * Cuts a stream into its frames without decoding them. Skippable frames are dropped; a frame that needs too large a
 * window or a dictionary is refused before any of it is handed out.
 *
 * Shape: frames of magic number, header, blocks of a 3-byte header each, and an optional checksum; all little-endian.
 * Source: RFC 8878, section 3.1.
 */
export class ZstdFrames {
  #step: Step = { kind: 'header' };
  readonly #header = Buffer.alloc(MAX_HEADER);
  #headerLength = 0;
  #hasChecksum = false;
  #frames = 0;

  /** @throws CompressionError COMPRESSION_MALFORMED, COMPRESSION_MEMORY, COMPRESSION_UNSUPPORTED */
  *split(chunk: Uint8Array): Generator<FrameBytes> {
    let start = 0; // of what is not handed out yet
    let at = 0;
    while (at < chunk.length) {
      const before = this.#step.kind;
      at = this.#advance(chunk, at);
      const after = this.#step.kind;
      if (before === 'header' && after === 'block-header') {
        yield { bytes: Uint8Array.from(this.#takeHeader()), first: true, last: false };
        start = at;
      } else if (before !== 'header' && before !== 'skip' && after === 'header') {
        yield { bytes: chunk.subarray(start, at), first: false, last: true };
      }
    }
    const inFrame = this.#step.kind !== 'header' && this.#step.kind !== 'skip';
    if (inFrame && start < at) yield { bytes: chunk.subarray(start, at), first: false, last: false };
  }

  /** @throws CompressionError COMPRESSION_TRUNCATED within a frame, and when there was none */
  end(): void {
    if (this.#step.kind !== 'header' || this.#headerLength > 0 || this.#frames === 0) throw truncated(WHAT);
  }

  #takeHeader(): Uint8Array {
    const header = this.#header.subarray(0, this.#headerLength);
    this.#headerLength = 0;
    return header;
  }

  /** One step further; gives the position after it. */
  #advance(chunk: Uint8Array, at: number): number {
    const step = this.#step;
    switch (step.kind) {
      case 'header':
        this.#header[this.#headerLength++] = chunk[at] ?? 0;
        this.#readHeader();
        return at + 1;
      case 'block-header':
        this.#readBlockHeader(step.value + (chunk[at] ?? 0) * 2 ** (8 * step.have), step.have + 1);
        return at + 1;
      default: {
        const taken = Math.min(step.left, chunk.length - at);
        this.#step = { ...step, left: step.left - taken };
        if (this.#step.left === 0) this.#afterBytes(this.#step);
        return at + taken;
      }
    }
  }

  #readHeader(): void {
    const [header, length] = [this.#header, this.#headerLength];
    if (length < 4) return;
    const magic = header.readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      if (length === 8) this.#skip(header.readUInt32LE(4));
      return;
    }
    if (magic !== MAGIC) throw malformed(WHAT, 'a frame', `the bytes ${header.toString('hex', 0, 4)}`);
    if (length >= 5 && length === headerSize(header[4] ?? 0)) this.#beginFrame();
  }

  #skip(left: number): void {
    this.#frames++;
    this.#headerLength = 0;
    this.#step = left === 0 ? { kind: 'header' } : { kind: 'skip', left };
  }

  #beginFrame(): void {
    const { window, hasDictionary, hasChecksum } = decodeHeader(this.#header);
    if (window > MAX_WINDOW) throw tooMuchMemory(WHAT, MAX_WINDOW);
    if (hasDictionary) throw unsupported(WHAT, 'a dictionary');
    this.#frames++;
    this.#hasChecksum = hasChecksum;
    this.#step = { kind: 'block-header', value: 0, have: 0 };
  }

  #readBlockHeader(value: number, have: number): void {
    if (have < 3) {
      this.#step = { kind: 'block-header', value, have };
      return;
    }
    const [last, type, size] = [(value & 1) === 1, (value >> 1) & 3, value >> 3];
    if (type === 3) throw malformed(WHAT, 'a known type of block', 'the reserved one');
    if (size > MAX_BLOCK) throw malformed(WHAT, `a block of at most ${MAX_BLOCK} bytes`, `${size}`);
    const left = type === 1 ? 1 : size; // one byte, to be repeated
    this.#step = { kind: 'block', left, last };
    if (left === 0) this.#afterBytes(this.#step);
  }

  #afterBytes(step: Step): void {
    if (step.kind === 'block' && !step.last) this.#step = { kind: 'block-header', value: 0, have: 0 };
    else if (step.kind === 'block' && this.#hasChecksum) this.#step = { kind: 'checksum', left: 4 };
    else this.#step = { kind: 'header' };
  }
}

/** The whole length of a frame's header, by its descriptor. */
function headerSize(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  return 5 + (singleSegment ? 0 : 1) + dictionaryIdBytes(descriptor) + contentSizeBytes(descriptor);
}

function dictionaryIdBytes(descriptor: number): number {
  return DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
}

function contentSizeBytes(descriptor: number): number {
  const flag = (descriptor >> 6) as 0 | 1 | 2 | 3;
  return flag === 0 && (descriptor & 0x20) !== 0 ? 1 : CONTENT_SIZE_BYTES[flag];
}

function decodeHeader(header: Buffer) {
  const descriptor = header[4] ?? 0;
  if ((descriptor & 0x08) !== 0) throw malformed(WHAT, 'a reserved bit of 0', '1');
  const idAt = (descriptor & 0x20) !== 0 ? 5 : 6;
  const idBytes = dictionaryIdBytes(descriptor);
  return {
    // A single segment is its own window.
    window: idAt === 5 ? contentSize(header, idAt + idBytes, contentSizeBytes(descriptor)) : windowSize(header[5] ?? 0),
    hasDictionary: header.subarray(idAt, idAt + idBytes).some((byte) => byte !== 0),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** The form of two bytes counts from 256. A size beyond 2^53 is only ever compared with a limit. */
function contentSize(header: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
