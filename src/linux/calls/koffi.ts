/**
 * The optional dependency koffi, loaded when the first system call is needed (8 ms) and never otherwise.
 * No type is declared by name and structures are buffers, so a second copy of this module in a thread does no harm.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { SystemError } from './system-error.ts';

/** A string goes as UTF-8 to a `const char *`; C would cut it off at a NUL. */
export type Argument = number | bigint | string | Uint8Array | null;
type Native = (...args: readonly Argument[]) => number;

interface Koffi {
  load(library: null): { func(declaration: string): Native };
  errno(): number;
  sizeof(type: string): number;
}

/** A function of the C library that returns -1 and sets errno when it fails. `path` is for the error's text. */
export type Call = (path: string | undefined, ...args: readonly Argument[]) => number;
/** One C declaration to a call; undefined where this C library lacks the function. */
export type Declare = (declaration: string) => Call | undefined;

export type Library = { readonly kind: 'loaded'; readonly declare: Declare } | Missing;
interface Missing {
  readonly kind: 'missing';
  /** For `capabilities`: why there are no calls. */
  readonly reason: string;
}

let library: Library | undefined;

export function koffi(): Library {
  library ??= load();
  return library;
}

function load(): Library {
  try {
    const module: Koffi = createRequire(import.meta.url)('koffi');
    // The layouts in this folder are those of 64-bit machines.
    if (module.sizeof('long') !== 8) return { kind: 'missing', reason: 'not a 64-bit machine' };
    // The symbols of the running process: a preloaded library sees these calls, and musl needs no other name.
    const libc = module.load(null);
    return { kind: 'loaded', declare: (declaration) => bind(module, libc, declaration) };
  } catch (error) {
    // Not installed, installed without the binary for this platform, or blocked: all the same to a caller, who has
    // declared fallbacks. The reason is kept.
    return { kind: 'missing', reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

function bind(module: Koffi, libc: { func(declaration: string): Native }, declaration: string): Call | undefined {
  const name = /(\w+)\(/.exec(declaration)?.[1] ?? declaration;
  let native: Native;
  try {
    native = libc.func(declaration);
  } catch (error) {
    if (error instanceof Error && error.message.includes('Cannot find function')) return undefined;
    throw error;
  }
  return (path, ...args) => {
    for (;;) {
      const result = native(...args);
      if (result !== -1) return result;
      const errno = module.errno();
      // close(2) has closed even when it says EINTR; nobody else repeats a call for us.
      if (errno !== constants.errno.EINTR || name === 'close') throw new SystemError(-errno, name, path);
    }
  };
}
