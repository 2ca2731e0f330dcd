/** What a delta is made of and how; sizes in bytes. The defaults are those of the reference. Spec 9.6. */
import { availableParallelism } from 'node:os';
import type { Vardict } from '../../../gvariant/index.ts';
import type { CommitSigner } from '../../signatures/signers.ts';
import type { DeltaStep } from './result.ts';

export interface GenerateOptions {
  /** Regular files above it without a source are fetched by themselves; 0: never. Default: 4 MB. */
  readonly minFallbackSize?: number | undefined;
  /** A part begins when the current one would hold more than this, uncompressed. Default: 32 MB. */
  readonly maxChunkSize?: number | undefined;
  /** Both files of a pair together; larger pairs are not compared byte by byte. Default: 128 MB. */
  readonly maxBsdiffSize?: number | undefined;
  readonly bsdiff?: boolean | undefined;
  readonly rollsum?: boolean | undefined;
  /** Parts inside of the superblock file. */
  readonly inline?: boolean | undefined;
  /** `none` applies to inline parts and to small ones: libostree cannot read larger plain files. Default: `xz`. */
  readonly compression?: 'xz' | 'none' | undefined;
  /** Lowers `maxBsdiffSize`, then the preset of xz, before anything fails. Default: 512 MiB. */
  readonly memoryBudget?: number | undefined;
  readonly endianness?: 'little' | 'big' | undefined;
  /** Goes to the front of the superblock's metadata. */
  readonly metadata?: Vardict | undefined;
  /** Wrap the superblock in signatures: only `apply-offline` and `verify` understand that, no client that pulls. */
  readonly signers?: readonly CommitSigner[] | undefined;
  /** The superblock's file instead of the repository; separate parts lie beside it. */
  readonly filename?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** At most so many at work at once; 0: everything on this thread. The result is the same. */
  readonly threads?: number | undefined;
  readonly onProgress?: ((step: DeltaStep) => void) | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

const MB = 1e6;
const MIB = 2 ** 20;

/** No budget is smaller: the least that xz and a small part take. */
export const SMALLEST_BUDGET = 32 * MIB;
export const DEFAULT_BUDGET = 512 * MIB;

/** The options with their defaults, cut down to what memory allows. */
export interface Plan {
  readonly minFallbackSize: number;
  readonly maxChunkSize: number;
  readonly maxBsdiffSize: number;
  readonly bsdiff: boolean;
  readonly rollsum: boolean;
  readonly inline: boolean;
  readonly compression: 'xz' | 'none';
  readonly bigEndian: boolean;
  /** Bytes for everything at work at once, without the part that is being put together. */
  readonly memory: number;
  readonly preset: number;
  readonly tasks: number;
}

export function planOf(options: GenerateOptions): Plan {
  const budget = Math.max(options.memoryBudget ?? DEFAULT_BUDGET, SMALLEST_BUDGET);
  const maxChunkSize = options.maxChunkSize ?? 32 * MB;
  const memory = Math.max(budget - Math.min(maxChunkSize, budget / 4), SMALLEST_BUDGET / 2);
  return {
    minFallbackSize: options.minFallbackSize ?? 4 * MB,
    maxChunkSize,
    maxBsdiffSize: options.maxBsdiffSize ?? 128 * MB,
    bsdiff: options.bsdiff ?? true,
    rollsum: options.rollsum ?? true,
    inline: options.inline ?? false,
    compression: options.compression ?? 'xz',
    bigEndian: options.endianness === 'big',
    memory,
    preset: presetWithin(memory),
    tasks: options.threads ?? availableParallelism(),
  };
}

/** Memory of `xz -N`, as its manual has it; the reference uses 8. Beyond that decoders need more than hosts may have. */
const XZ_MEMORY = [3, 9, 17, 32, 48, 94, 94, 186, 370].map((mib) => mib * MIB);

function presetWithin(memory: number): number {
  return Math.max(
    0,
    XZ_MEMORY.findLastIndex((needed) => needed <= memory),
  );
}

/** xz touches its tables as far as there is input: some twelve bytes a byte. */
export function xzMemory(preset: number, size: number): number {
  return Math.min(XZ_MEMORY[preset] ?? 0, 4 * MIB + 12 * size);
}
