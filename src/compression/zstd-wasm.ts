/** zstd where Node has none: the WebAssembly of zstddec, one instance per stream, dropped with its memory. */
import { CompressionError, malformed } from './error.ts';
import { WasmMemory } from './wasm.ts';
import type { FrameBytes } from './zstd-frames.ts';

const WHAT = 'zstd stream';
/** ZSTD_isError: the upper end of size_t; the codes go to 120. */
const FIRST_ERROR = 2 ** 32 - 120;
/** ZSTD_error_memory_allocation and ZSTD_error_frameParameter_windowTooLarge. */
const MEMORY_ERRORS = [64, 16];
const IN_SIZE = 128 * 2 ** 10;
/** ZSTD_DStreamOutSize: any block fits. */
const OUT_SIZE = 128 * 2 ** 10;
/** The structs that describe input and output: address, size and position. */
const STRUCT = 12;
const POSITION = 2;

/** The functions of the module; addresses and sizes are unsigned 32 bit, and come as signed numbers. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

export async function* decodeFramesInWasm(frames: AsyncIterable<FrameBytes>): AsyncGenerator<Uint8Array> {
  const decoder = new Decoder(await instantiate());
  for await (const { bytes, last } of frames) {
    for (let at = 0; at < bytes.length; at += IN_SIZE) {
      yield* decoder.decode(bytes.subarray(at, at + IN_SIZE));
    }
    if (last && !decoder.frameEnded) throw malformed(WHAT, 'the end of a frame', 'more of it');
  }
}

class Decoder {
  /** The last call completed a frame. */
  frameEnded = true;
  readonly #exports: Exports;
  readonly #memory: WasmMemory;
  readonly #context: number;
  readonly #input: number;
  readonly #output: number;
  readonly #structs: number;

  constructor(exports: Exports) {
    this.#exports = exports;
    this.#memory = new WasmMemory(exports.memory);
    this.#context = allocated(exports.ZSTD_createDCtx());
    this.#input = allocated(exports.malloc(IN_SIZE));
    this.#output = allocated(exports.malloc(OUT_SIZE));
    this.#structs = allocated(exports.malloc(2 * STRUCT));
  }

  /** All output of at most IN_SIZE bytes of one frame. */
  *decode(bytes: Uint8Array): Generator<Uint8Array> {
    this.#memory.write(this.#input, bytes);
    let used = 0;
    // After the end of a frame nothing can be left, and asking would begin the next one.
    for (let full = false; used < bytes.length || (full && !this.frameEnded); ) {
      const step = this.#step(used, bytes.length);
      if (step.used === used && step.output.length === 0) {
        if (used === bytes.length) return; // asked for what might have been left
        throw malformed(WHAT, 'progress', 'none');
      }
      used = step.used;
      full = step.output.length === OUT_SIZE;
      if (step.output.length > 0) yield step.output;
    }
  }

  #step(from: number, to: number): { readonly used: number; readonly output: Uint8Array } {
    const [memory, output, input] = [this.#memory, this.#structs, this.#structs + STRUCT];
    [this.#output, OUT_SIZE, 0].forEach((value, n) => {
      memory.setField(output, n, value);
    });
    [this.#input, to, from].forEach((value, n) => {
      memory.setField(input, n, value);
    });
    const result = this.#exports.ZSTD_decompressStream(this.#context, output, input) >>> 0;
    if (result > FIRST_ERROR) throw decodeError(2 ** 32 - result);
    this.frameEnded = result === 0;
    return { used: memory.field(input, POSITION), output: memory.read(this.#output, memory.field(output, POSITION)) };
  }
}

function allocated(address: number): number {
  if (address === 0) throw decodeError(64);
  return address >>> 0;
}

function decodeError(code: number): CompressionError {
  if (MEMORY_ERRORS.includes(code)) {
    return new CompressionError('COMPRESSION_MEMORY', `${WHAT}: not enough memory to decompress`);
  }
  return malformed(WHAT, 'valid data', `damaged data (zstd error ${code})`);
}

let compiled: Promise<WebAssembly.Module> | undefined;

async function instantiate(): Promise<Exports> {
  compiled ??= compile();
  const { exports } = await WebAssembly.instantiate(await compiled, {
    env: { emscripten_notify_memory_growth: () => undefined },
  });
  return exports as Exports; // what zstddec itself calls
}

/**
 * The module inside zstddec. Its own decoder keeps one instance for good, with the largest window it ever saw, and
 * does not look at error codes; so its hook takes the module, and the instance it made is dropped.
 */
async function compile(): Promise<WebAssembly.Module> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  return await new Promise((resolve, reject) => {
    class ModuleTaker extends ZSTDDecoder {
      /** Called without a receiver. */
      override _init(result: WebAssembly.WebAssemblyInstantiatedSource): void {
        resolve(result.module);
      }
    }
    new ModuleTaker().init().catch(reject);
  });
}
