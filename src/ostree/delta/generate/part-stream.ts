/** Items in, compressed parts out: each part is closed when the next item would make it too large. */
import { compressXz } from '../../../compression/index.ts';
import { sha256 } from '../../objects/checksum.ts';
import { PLAIN, XZ } from '../part-payload.ts';
import type { DeltaPart } from '../superblock.ts';
import { type Plan, xzMemory } from './options.ts';
import { type BuiltPart, dataSize, PartBuilder, type PartItem } from './part-builder.ts';
import type { TaskGate } from './task-gate.ts';

/** libostree maps larger plain files at an odd offset, which fails: spec 9.4. */
const LARGEST_PLAIN_FILE = 16 * 1024;

/** Takes the file of a part; with the number that it has in the delta. */
export type PartSink = (index: number, file: Uint8Array) => void;

export class PartStream {
  readonly #plan: Plan;
  readonly #gate: TaskGate;
  readonly #sink: PartSink;
  readonly #signal: AbortSignal;
  readonly #abandoned = new AbortController();
  readonly #parts: Promise<Omit<DeltaPart, 'inline'>>[] = [];
  #builder = new PartBuilder();

  constructor(plan: Plan, gate: TaskGate, sink: PartSink, signal: AbortSignal) {
    this.#plan = plan;
    this.#gate = gate;
    this.#sink = sink;
    this.#signal = AbortSignal.any([signal, this.#abandoned.signal]);
  }

  /** Waits while too many parts wait for xz. */
  async add(item: PartItem): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#builder.isEmpty && this.#builder.size + dataSize(item) > this.#plan.maxChunkSize) await this.#close();
    this.#builder.add(item);
  }

  /** In their order, when all are written. */
  async finish(): Promise<readonly Omit<DeltaPart, 'inline'>[]> {
    if (!this.#builder.isEmpty) await this.#close();
    return Promise.all(this.#parts);
  }

  /** After a failure: nothing is compressed or written any more once this has ended. After `finish` it does nothing. */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    await Promise.allSettled(this.#parts);
  }

  async #close(): Promise<void> {
    const part = this.#builder.build();
    this.#builder = new PartBuilder();
    const written = this.#write(this.#parts.length, part);
    written.catch(() => undefined); // heard of at the end, or below
    this.#parts.push(written);
    await this.#parts.at(-1 - this.#plan.tasks);
  }

  async #write(index: number, { objects, uncompressedSize, payload }: BuiltPart): Promise<Omit<DeltaPart, 'inline'>> {
    const file = await this.#compress(payload);
    this.#sink(index, file);
    return { digest: sha256(file), size: file.length, uncompressedSize, objects };
  }

  async #compress(payload: Uint8Array): Promise<Uint8Array> {
    const { compression, inline, preset } = this.#plan;
    if (compression === 'none' && (inline || payload.length < LARGEST_PLAIN_FILE)) return coded(PLAIN, payload);
    const memory = xzMemory(preset, payload.length) + 2 * payload.length;
    return coded(XZ, await this.#gate.run(memory, () => compressXz(payload, preset, this.#signal)));
  }
}

function coded(code: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(code), bytes]);
}
