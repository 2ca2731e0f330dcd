/**
 * The decoder inside xz-decompress (XZ Embedded as WebAssembly). Its stream class lets only one stream at a time run,
 * waits for ever when
 * one is left, and keeps one instance for good; so the functions are called here, on an instance per
 * use, which is dropped with its memory.
 *
 * The decoder itself refuses dictionaries of more than 64 MiB (preset -9), in every block, before it allocates.
 */
import { CompressionError, malformed, truncated, unsupported } from './error.ts';
import { WasmMemory } from './wasm.ts';

const WHAT = 'xz stream';
/** enum xz_ret of XZ Embedded. */
const OK = 0;
const STREAM_END = 1;
const NO_PROGRESS = 8;
const ERRORS: Readonly<Record<number, () => CompressionError>> = {
  2: () => unsupported(WHAT, 'its kind of integrity check'),
  3: outOfMemory,
  4: outOfMemory,
  6: () => unsupported(WHAT, 'one of its filters or integrity checks'),
};
/** Dictionaries of ever larger sizes leave holes in the heap; past this a stream is up to no good. */
const MAX_MEMORY = 100 * 2 ** 20;

/** The context begins with: size of both buffers; input address, position, size; output address, position, size. */
const [BUFFER_SIZE, IN, IN_POSITION, OUT, OUT_POSITION] = [0, 1, 2, 4, 5] as const;

interface Exports {
  readonly memory: WebAssembly.Memory;
  create_context(): number;
  supply_input(context: number, size: number): void;
  get_next_output(context: number): number;
}

/** Decodes all .xz streams of a file, with the padding between and after them: zero bytes, in fours. */
export class XzDecoder {
  readonly #exports: Exports;
  readonly #memory: WasmMemory;
  readonly #context: number;

  private constructor(exports: Exports) {
    this.#exports = exports;
    this.#memory = new WasmMemory(exports.memory);
    this.#context = exports.create_context();
    if (this.#context === 0) throw outOfMemory();
  }

  static async create(): Promise<XzDecoder> {
    return new XzDecoder(await instantiate());
  }

  /** All that can be made of the file so far. */
  *decode(bytes: Uint8Array): Generator<Uint8Array> {
    const size = this.#field(BUFFER_SIZE);
    for (let at = 0; at < bytes.length; at += size) yield* this.#decodeBuffer(bytes.subarray(at, at + size));
  }

  /** No input at all is how the decoder learns of the end of the file. */
  end(): void {
    this.#exports.supply_input(this.#context, 0);
    if (this.#step().result !== STREAM_END) throw truncated(WHAT);
  }

  *#decodeBuffer(bytes: Uint8Array): Generator<Uint8Array> {
    this.#memory.write(this.#field(IN), bytes);
    this.#exports.supply_input(this.#context, bytes.length);
    // A full buffer may not have been all: the decoder is asked again, and then may have nothing to do.
    for (let full = false; full || this.#field(IN_POSITION) < bytes.length; ) {
      const { result, output } = this.#step();
      if (result === NO_PROGRESS && !full) throw malformed(WHAT, 'progress', 'none');
      full = output.length === this.#field(BUFFER_SIZE);
      if (output.length > 0) yield output;
    }
  }

  #step(): { readonly result: number; readonly output: Uint8Array } {
    this.#memory.setField(this.#context, OUT_POSITION, 0);
    const result = this.#exports.get_next_output(this.#context);
    if (result !== OK && result !== STREAM_END && result !== NO_PROGRESS) throw decodeError(result);
    if (this.#memory.size > MAX_MEMORY) throw outOfMemory();
    return { result, output: this.#memory.read(this.#field(OUT), this.#field(OUT_POSITION)) };
  }

  #field(n: number): number {
    return this.#memory.field(this.#context, n);
  }
}

function decodeError(result: number): CompressionError {
  return ERRORS[result]?.() ?? malformed(WHAT, 'valid data', `damaged data (xz error ${result})`);
}

function outOfMemory(): CompressionError {
  return new CompressionError('COMPRESSION_MEMORY', `${WHAT}: needs more memory to decompress than is allowed`, {
    hint: 'compress it with preset -9 or lower',
  });
}

/** What the package has, but does not declare. */
interface Internals {
  _moduleInstance?: { readonly exports: unknown } | undefined;
  _getModuleInstance?(): Promise<void>;
}

async function instantiate(): Promise<Exports> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  const internals = XzReadableStream as unknown as Internals;
  // Two of these may run at the same time: each takes whichever instance is there when it looks, or makes another.
  for (;;) {
    await internals._getModuleInstance?.();
    const instance = internals._moduleInstance;
    internals._moduleInstance = undefined;
    if (instance !== undefined) return instance.exports as Exports;
    if (internals._getModuleInstance === undefined) throw new Error('unreachable: xz-decompress has changed inside');
  }
}
