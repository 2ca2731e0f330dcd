/**
 * The layers of the OSTree commit, each with a ref, so that they are not fetched again. Several share a transaction, for
 * a flush of the disk costs more than a small layer; those of a transaction that a killed run did not end are found
 * by what was staged of them. The commit counts as partial until everything that it reaches is there.
 */
import { codeOf } from '../../../base/error.ts';
import { inLanes } from '../../../base/lanes.ts';
import { batchesOf, type OpenLayer } from '../../../layers/index.ts';
import {
  type Checksum,
  HEAD,
  isWhole,
  type Pool,
  type Repository,
  removeRef,
  type SignatureReport,
  storeCommit,
  type Transaction,
  type Verifier,
  withTransaction,
} from '../../../ostree/index.ts';
import { type Fetching, importComponent, LANES, LayerRecords, openLayerPool } from '../../fetching/index.ts';
import type { ImageLayers, Layer } from '../../labels/index.ts';
import { type CommitHead, importObjects, ObjectStream, publishCommit, readHead } from '../../stream/index.ts';
import { layerCommit, layerRef, writeObjectSet } from '../records/index.ts';
import type { StorePullOptions } from './options.ts';
import { storedHead, verifyBase } from './verify-base.ts';

export interface PulledBase {
  readonly commit: Checksum;
  readonly signatures: readonly SignatureReport[];
}

type OstreeLayers = ImageLayers & { readonly base: Layer };

/** The layer that brings the commit, which was judged before anything is written. */
interface OpenBase {
  readonly layer: Layer;
  readonly opened: OpenLayer;
  readonly stream: ObjectStream;
}

/**
 * @throws StreamError; LabelError COMMIT_LABEL_MISMATCH; OstreeError SIGNATURE_*, OBJECT_*; OciError INVALID_DIGEST ...
 */
export async function pullBase(
  repository: Repository,
  layers: OstreeLayers,
  verifier: Verifier | undefined,
  fetching: Fetching,
  options: StorePullOptions,
): Promise<PulledBase> {
  const present = layerCommit(repository, layers.base.descriptor.digest);
  if (present !== undefined) {
    const head = storedHead(repository, present);
    const signatures = await verifyBase(head, layers, verifier);
    await new BasePull(repository, layers, head, fetching, options).run(undefined);
    return { commit: present, signatures };
  }
  const opened = fetching.open(layers.base, options.signal);
  const stream = new ObjectStream(opened.tar);
  try {
    const head = await opened.during(() => readHead(stream));
    const signatures = await verifyBase(head, layers, verifier);
    await new BasePull(repository, layers, head, fetching, options).run({ layer: layers.base, opened, stream });
    return { commit: head.checksum, signatures };
  } finally {
    await stream.close();
    await opened.close();
  }
}

class BasePull {
  readonly #repository: Repository;
  readonly #layers: OstreeLayers;
  readonly #head: CommitHead;
  readonly #fetching: Fetching;
  readonly #options: StorePullOptions;
  readonly #records: LayerRecords;

  constructor(
    repository: Repository,
    layers: OstreeLayers,
    head: CommitHead,
    fetching: Fetching,
    options: StorePullOptions,
  ) {
    this.#repository = repository;
    this.#layers = layers;
    this.#head = head;
    this.#fetching = fetching;
    this.#options = options;
    this.#records = new LayerRecords(repository);
  }

  /** @param base undefined when it is here */
  async run(base: OpenBase | undefined): Promise<void> {
    const missing = this.#layers.components.filter(({ descriptor }) => !this.#isThere(descriptor.digest));
    const batches = batchesOf(missing);
    try {
      if (base !== undefined) await this.#base(base, batches.length === 0);
      for (const [i, batch] of batches.entries()) await this.#batch(batch, i === batches.length - 1);
      if (base === undefined && batches.length === 0) await this.#complete();
    } catch (error) {
      // Layers that do not make up their commit are of no use to the next run either.
      if (codeOf(error) === 'STREAM_INCOMPLETE') this.#forget();
      throw error;
    }
    this.#records.keep(this.#layers.components);
  }

  /** By itself: nothing that was staged tells the next run which commit it brings. */
  #base({ layer, opened, stream }: OpenBase, isWholeCommit: boolean): Promise<void> {
    const { signal } = this.#options;
    return this.#transaction([layer], async (transaction, pool) => {
      const { checksum } = this.#head;
      await opened.during(() => importObjects(transaction, stream, { layer: 'base', pool, signal }));
      transaction.setRef({ place: HEAD, ref: layerRef(layer.descriptor.digest), commit: checksum });
      if (isWholeCommit) return publishCommit(transaction, this.#head);
      const isComplete = isWhole(this.#repository, checksum);
      storeCommit(transaction, transaction.writer, { ...this.#head, isComplete, signatures: [] });
    });
  }

  #batch(batch: readonly Layer[], isLast: boolean): Promise<void> {
    return this.#transaction(batch, async (transaction, pool) => {
      await inLanes(batch, LANES, this.#options.signal, async (layer, signal) => {
        const commit = await this.#component(transaction, layer, pool, signal);
        if (commit === undefined) return;
        transaction.setRef({ place: HEAD, ref: layerRef(layer.descriptor.digest), commit });
      });
      if (isLast) publishCommit(transaction, { ...this.#head, detached: undefined });
    });
  }

  #transaction(layers: readonly Layer[], work: (transaction: Transaction, pool: Pool) => Promise<void>): Promise<void> {
    return withTransaction(this.#repository, this.#options, async (transaction) => {
      const pool = openLayerPool(transaction, layers, this.#options.threads);
      try {
        await work(transaction, pool);
      } finally {
        await pool.close();
      }
    });
  }

  /** Undefined when another run has stored it meanwhile. */
  async #component(
    transaction: Transaction,
    layer: Layer,
    pool: Pool,
    signal: AbortSignal,
  ): Promise<Checksum | undefined> {
    if (this.#isThere(layer.descriptor.digest)) {
      this.#fetching.skip(layer);
      return undefined;
    }
    const staged = this.#records.present(layer, transaction.writer.reader);
    if (staged !== undefined) this.#fetching.skip(layer);
    const means = { fetching: this.#fetching, records: this.#records, pool, signal };
    const contents = staged ?? (await importComponent(transaction, layer, means)).contents;
    return writeObjectSet(transaction.writer, contents);
  }

  /** A run that was ended had everything but that. */
  async #complete(): Promise<void> {
    if (isWhole(this.#repository, this.#head.checksum)) return;
    await withTransaction(this.#repository, this.#options, async (transaction) =>
      publishCommit(transaction, { ...this.#head, detached: undefined }),
    );
  }

  #forget(): void {
    const { base, components } = this.#layers;
    this.#records.forget(components);
    for (const { descriptor } of [base, ...components]) {
      if (this.#isThere(descriptor.digest)) removeRef(this.#repository, HEAD, layerRef(descriptor.digest));
    }
  }

  #isThere(digest: Layer['descriptor']['digest']): boolean {
    return layerCommit(this.#repository, digest) !== undefined;
  }
}
