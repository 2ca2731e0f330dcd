/** The items of a delta in the order of its parts: metadata, rollsum, bsdiff, plain files, links. */
import { OstreeError } from '../../error.ts';
import { type DiffBatch, type FileDiff, readContent } from '../../jobs/diff-files.ts';
import type { Pool } from '../../jobs/pool.ts';
import type { ObjectName } from '../../jobs/verify-objects.ts';
import { sha256 } from '../../objects/checksum.ts';
import { compareNames } from '../../objects/order.ts';
import type { ObjectReader } from '../../storage/object-reader.ts';
import { corrupt } from '../../storage/object-writer.ts';
import { bsdiffMemory } from '../algorithms/bsdiff.ts';
import { PAYLOAD_LIMIT } from '../part-payload.ts';
import type { Differences, FilePair, NewFile } from './differences.ts';
import type { Plan } from './options.ts';
import type { PartItem } from './part-builder.ts';
import { inOrder, type TaskGate } from './task-gate.ts';

/** What the work is done with. */
export interface Means {
  readonly reader: ObjectReader;
  readonly pool: Pool;
  readonly gate: TaskGate;
  readonly plan: Plan;
}

/** A batch holds so many pairs and bytes of new files, but one pair at least. */
const MOST_PAIRS = 64;
const MOST_BYTES = 4e6;

/** What of a payload is not raw data: tables and operations of the largest parts. */
const PAYLOAD_REST = 16 * 2 ** 20;

export class DeltaContents {
  readonly #means: Means;
  readonly #differences: Differences;
  /** What must be fetched by itself; complete after the last item. */
  readonly fallbacks: NewFile[] = [];

  constructor(means: Means, differences: Differences) {
    this.#means = means;
    this.#differences = differences;
  }

  /** @throws OstreeError DELTA_UNSUITABLE, OBJECT_MISSING, OBJECT_MALFORMED, OBJECT_CORRUPT */
  async *items(): AsyncGenerator<PartItem, void> {
    const { metadata, pairs, unpaired, links } = this.#differences;
    for (const object of metadata) yield this.#metadata(object);
    const changed = yield* this.#diffs('rollsum', pairs);
    const unlike = yield* this.#diffs('bsdiff', changed);
    const plain = [...unpaired, ...unlike.map(({ added }) => added)].sort((a, b) => compareNames(a.name, b.name));
    for (const file of plain) {
      if (this.#isFallback(file)) this.fallbacks.push(file);
      else yield this.#plain(file, await readContent(this.#means.reader, file.checksum));
    }
    for (const link of links) yield this.#plain(link, Buffer.from(link.header.target ?? ''));
  }

  #metadata(object: ObjectName): PartItem {
    if (object.type === 'file') throw new Error('unreachable: a file among the metadata');
    const bytes = this.#means.reader.metadata(object.checksum, object.type);
    const found = sha256(bytes);
    if (found !== object.checksum) throw corrupt(object.type, object.checksum, found);
    return { kind: 'metadata', object, bytes };
  }

  #plain({ checksum, header }: NewFile, content: Uint8Array): PartItem {
    return { kind: 'plain', object: { checksum, type: 'file' }, header, content };
  }

  /** The pairs that can be made this way; the others are returned. */
  async *#diffs(way: DiffBatch['way'], pairs: readonly FilePair[]): AsyncGenerator<PartItem, FilePair[]> {
    const { plan, pool, gate } = this.#means;
    const isPossible = (pair: FilePair): boolean => plan[way] && this.#fits(way, pair);
    const left = pairs.filter((pair) => !isPossible(pair));
    const run = async (batch: readonly FilePair[]) => {
      const names = batch.map(({ removed, added }) => ({ from: removed.checksum, to: added.checksum }));
      const { diffs } = await gate.run(costOf(way, batch), () => pool.run('diff-files', { way, pairs: names }));
      return batch.map((pair, i) => ({ pair, diff: diffs[i] ?? ({ way: 'none' } as const) }));
    };
    for await (const results of inOrder(batches(pairs.filter(isPossible)), 2 * plan.tasks, run)) {
      for (const { pair, diff } of results) {
        if (diff.way === 'none') left.push(pair);
        else yield toItem(pair, diff);
      }
    }
    return left.sort((a, b) => compareNames(a.added.name, b.added.name));
  }

  #fits(way: DiffBatch['way'], { added, removed }: FilePair): boolean {
    const { plan } = this.#means;
    if (way === 'bsdiff' && added.size + removed.size > plan.maxBsdiffSize) return false;
    return memoryOf(way, { added, removed }) <= plan.memory && added.size + PAYLOAD_REST <= PAYLOAD_LIMIT / 2;
  }

  /** @throws OstreeError DELTA_UNSUITABLE when it neither fits nor may be left out */
  #isFallback({ name, checksum, size }: NewFile): boolean {
    const { minFallbackSize, memory } = this.#means.plan;
    if (minFallbackSize > 0 && size > minFallbackSize) return true;
    // the content, the part around it, and what xz makes of it
    if (3 * size <= memory && size + PAYLOAD_REST <= PAYLOAD_LIMIT) return false;
    if (minFallbackSize > 0) return true;
    throw new OstreeError('DELTA_UNSUITABLE', `${name}: ${size} bytes do not fit into a part of a delta`, {
      hint: 'raise the memory budget, or allow that large files are fetched by themselves (min-fallback-size)',
      subject: checksum,
    });
  }
}

function toItem({ added, removed }: FilePair, diff: Exclude<FileDiff, { way: 'none' }>): PartItem {
  const { checksum, header, size } = added;
  return { kind: 'diff', object: { checksum, type: 'file' }, header, size, source: removed.checksum, diff };
}

function memoryOf(way: DiffBatch['way'], { added, removed }: FilePair): number {
  return way === 'bsdiff' ? bsdiffMemory(removed.size, added.size) : removed.size + 2 * added.size;
}

/** One pair after the other; their results are kept. */
function costOf(way: DiffBatch['way'], batch: readonly FilePair[]): number {
  const results = batch.reduce((sum, { added }) => sum + added.size, 0);
  return results + Math.max(...batch.map((pair) => memoryOf(way, pair)));
}

function* batches(pairs: readonly FilePair[]): Generator<readonly FilePair[]> {
  let batch: FilePair[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    if (batch.length > 0 && (batch.length >= MOST_PAIRS || bytes + pair.added.size > MOST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(pair);
    bytes += pair.added.size;
  }
  if (batch.length > 0) yield batch;
}
