/**
 * The objects of a tree over HTTP: a bounded number of requests at once; contents go to the pool in batches, and
 * nothing more is asked for while the pool is busy. Whatever fails first ends all of it.
 */
import { setImmediate } from 'node:timers/promises';
import { OstreeError } from '../error.ts';
import type { Pool } from '../jobs/pool.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { decodeDirMeta } from '../objects/dirmeta.ts';
import { METADATA_LIMIT, objectPath } from '../objects/object-type.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { corrupt, type ObjectWriter } from '../storage/object-writer.ts';
import { ARENA, ContentStore } from './content-store.ts';
import type { LargeObjects } from './large-objects.ts';
import type { Origin } from './origin.ts';
import { PresentFiles } from './present-files.ts';
import { OriginTooLarge, Scratch } from './scratch.ts';
import type { TreeWalk } from './tree-walk.ts';

/** Requests at once. More gain nothing on a fast network, and would be unkind to a small server. */
const LANES = 8;
/** Directories walked on the disk before others get a turn. */
const BREATH = 64;

export interface TransferPorts {
  readonly origin: Origin;
  readonly writer: ObjectWriter;
  readonly pool: () => Pool;
  readonly large: LargeObjects;
  /** Repositories on this machine where objects are looked for before the network. */
  readonly caches: readonly ObjectReader[];
  readonly content: { readonly keepBytes: boolean; readonly trusted: boolean; readonly plainModes: boolean };
  readonly onObject: (checksum: Checksum, bytes: number) => void;
  readonly signal: AbortSignal;
}

export interface TransferCounts {
  metadata: number;
  content: number;
}

export async function transfer(walk: TreeWalk, ports: TransferPorts): Promise<TransferCounts> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ports.signal, stop.signal]);
  const store = new ContentStore(ports, (error) => stop.abort(error));
  const work = new Transfer(walk, ports, store, signal);
  try {
    const lanes = Array.from({ length: LANES }, () => work.lane());
    await firstFailure(lanes, (error) => stop.abort(error));
    await store.finish();
  } catch (error) {
    stop.abort(error);
    await store.settled();
    throw error;
  }
  return work.counts;
}

/** All of them to their end, then what failed first. */
async function firstFailure(tasks: readonly Promise<void>[], onFailure: (error: unknown) => void): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failed ??= { error };
    onFailure(error);
  };
  await Promise.all(tasks.map((task) => task.catch(fail)));
  if (failed !== undefined) throw failed.error;
}

class Transfer {
  readonly counts: TransferCounts = { metadata: 0, content: 0 };
  readonly #walk: TreeWalk;
  readonly #ports: TransferPorts;
  readonly #store: ContentStore;
  readonly #signal: AbortSignal;
  readonly #present: PresentFiles;
  #busy = 0;
  #idle: (() => void)[] = [];
  #walked = 0;

  constructor(walk: TreeWalk, ports: TransferPorts, store: ContentStore, signal: AbortSignal) {
    this.#walk = walk;
    this.#ports = ports;
    this.#store = store;
    this.#signal = signal;
    this.#present = new PresentFiles(ports.writer.reader.places);
  }

  /** Does one thing after the other until nothing is left and nothing can come. */
  async lane(): Promise<void> {
    const scratch = new Scratch(ARENA);
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const next = this.#next(scratch);
        if (next !== undefined) {
          this.#busy++;
          await next.finally(() => this.#busy--);
          this.#wake();
        } else if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
        else return;
      }
    } finally {
      this.#wake();
    }
  }

  /** Metadata first: the sooner all names are known the sooner it is known how much is left. */
  #next(scratch: Scratch): Promise<void> | undefined {
    const { trees, metas, files } = this.#walk;
    const tree = trees.pop();
    if (tree !== undefined) return this.#tree(tree);
    const meta = metas.pop();
    if (meta !== undefined) return this.#meta(meta);
    const file = files.pop();
    return file === undefined ? undefined : this.#file(file, scratch);
  }

  #wake(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  async #tree(want: TreeWalk['trees'][number]): Promise<void> {
    const { writer } = this.#ports;
    const present = writer.reader.metadataIfPresent(want.tree, 'dirtree');
    if (present !== undefined) {
      this.#walk.enter(want, present);
      if (++this.#walked % BREATH === 0) await setImmediate();
      return;
    }
    const bytes = await this.#metadata(want.tree, 'dirtree');
    this.#walk.enter(want, bytes); // what is no dirtree is not stored
    writer.putNamedMetadata('dirtree', want.tree, bytes);
  }

  async #meta(checksum: Checksum): Promise<void> {
    const { writer } = this.#ports;
    if (writer.reader.has(checksum, 'dirmeta')) return;
    const bytes = await this.#metadata(checksum, 'dirmeta');
    decodeDirMeta(bytes, `dirmeta ${checksum}`);
    writer.putNamedMetadata('dirmeta', checksum, bytes);
  }

  async #metadata(checksum: Checksum, type: 'dirtree' | 'dirmeta'): Promise<Uint8Array> {
    const { origin, caches, onObject } = this.#ports;
    for (const cache of caches) {
      const cached = cache.metadataIfPresent(checksum, type);
      if (cached !== undefined && sha256(cached) === checksum) return cached;
    }
    const path = `objects/${objectPath(checksum, type)}`;
    const bytes = await origin.get('content', path, METADATA_LIMIT, this.#signal);
    if (bytes === undefined) throw notThere(type, checksum);
    const found = sha256(bytes);
    if (found !== checksum) throw corrupt(type, checksum, found);
    this.counts.metadata++;
    onObject(checksum, bytes.length);
    return bytes;
  }

  async #file(checksum: Checksum, scratch: Scratch): Promise<void> {
    const { caches, origin, large, onObject } = this.#ports;
    if (this.#present.has(checksum)) return;
    const cache = caches.find((each) => each.has(checksum, 'file'));
    if (cache !== undefined) return this.#store.addCached(checksum, cache);
    const path = `objects/${objectPath(checksum, 'filez')}`;
    try {
      if (!(await origin.receive('content', path, scratch, this.#signal))) throw notThere('file', checksum);
      onObject(checksum, scratch.length);
      await this.#store.add(checksum, scratch.bytes);
    } catch (error) {
      if (!(error instanceof OriginTooLarge)) throw error;
      await large.fetch(checksum, scratch.bytes, (received) => onObject(checksum, received), this.#signal);
    }
    this.counts.content++;
  }
}

export function notThere(type: string, checksum: Checksum): OstreeError {
  return new OstreeError('OBJECT_MISSING', `${type} ${checksum}: not on the server`, { subject: checksum });
}
