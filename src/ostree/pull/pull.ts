/**
 * Pull from a web server: which commits, from which deltas, then whatever is still missing. Refs move at the very end,
 * when everything they point to is on the disk. The order of requests is that of spec 13.3.
 */
import { silent } from '../../base/progress.ts';
import { openPool, type Pool, threadsBeside } from '../jobs/pool.ts';
import type { Remote } from '../remotes/remote.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { ObjectWriter } from '../storage/object-writer.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import { CommitReceiver, isWhole, type ReceivedCommit, storeCommit } from './commits.ts';
import { applyDelta } from './delta-apply.ts';
import { httpSource } from './http-source.ts';
import { LargeObjects } from './large-objects.ts';
import { storeMirroredSummary } from './mirror-summary.ts';
import type { PullOptions, PullResult } from './options.ts';
import { type PullPlan, type PullPorts, planPull } from './plan.ts';
import { PullProgress } from './pull-progress.ts';
import { selectPaths } from './subpath.ts';
import { transfer } from './transfer.ts';
import { TreeWalk } from './tree-walk.ts';

/** A received file is unpacked and hashed: threads are worth their start for fewer of them than elsewhere. */
const UNPACKING = 3;

/** @throws OstreeError for what is refused, with nothing stored that could be seen; HttpError */
export async function pull(
  repository: Repository,
  remote: Remote,
  options: PullOptions,
  ports: PullPorts,
): Promise<PullResult> {
  const plan = await planPull(repository, remote, options, ports);
  const { signal, onWait, timeoutMs } = ports;
  const caches = options.caches.map(openRepository);
  try {
    const result = await withTransaction(
      repository,
      { signal, onWait, timeoutMs, fsync: options.fsync },
      (transaction) => new PullRun({ transaction, remote, options, ports, plan, caches }).run(),
    );
    if (options.mirror && options.asked.length === 0) storeMirroredSummary(repository, plan.facts.summary);
    return result;
  } finally {
    for (const cache of caches) cache.close();
  }
}

interface RunInput {
  readonly transaction: Transaction;
  readonly remote: Remote;
  readonly options: PullOptions;
  readonly ports: PullPorts;
  readonly plan: PullPlan;
  readonly caches: readonly Repository[];
}

/** One pull, inside of its transaction. */
class PullRun {
  readonly #input: RunInput;
  readonly #repository: Repository;
  readonly #writer: ObjectWriter;
  readonly #place: Transaction['place'];
  readonly #progress: PullProgress;

  constructor(input: RunInput) {
    const { transaction, options, ports } = input;
    this.#input = input;
    this.#repository = transaction.repository;
    this.#place = options.perObjectFsync ? { ...transaction.place, flush: 'now' } : transaction.place;
    this.#writer = options.perObjectFsync ? new ObjectWriter(this.#place) : transaction.writer;
    this.#progress = new PullProgress(ports.progress ?? silent);
  }

  async run(): Promise<PullResult> {
    const { transaction, options, plan } = this.#input;
    const receiver = await this.#receiveCommits();
    const commits = [...receiver.received.values()];
    for (const commit of commits) storeCommit(transaction, this.#writer, commit);
    this.#progress.begin(commits, this.#writer.reader, plan.offers);
    try {
      const parts = options.commitOnly ? 0 : await this.#applyDeltas();
      const counts = options.commitOnly ? { metadata: 0, content: 0 } : await this.#transfer(commits);
      this.#progress.end(true);
      return this.#finish(receiver, commits, { ...counts, parts });
    } catch (error) {
      this.#progress.end(false);
      throw error;
    }
  }

  async #receiveCommits(): Promise<CommitReceiver> {
    const { remote, options, ports, plan } = this.#input;
    const { origin, policy, signal } = ports;
    const source = httpSource({ origin, offers: plan.offers, hasTombstones: plan.facts.hasTombstones, signal });
    const rules = {
      verifier: policy.commits,
      bindings: options.bindings ? { collectionId: remote.collectionId } : undefined,
      depth: options.depth,
      notBefore: options.notBefore,
    };
    const receiver = new CommitReceiver(this.#repository, source, rules, this.#writer.reader);
    for (const { checksum, ref, size, previous } of plan.wanted) {
      await receiver.receive({ checksum, ref, size, notBefore: options.timestampCheck ? previous : undefined });
    }
    return receiver;
  }

  async #applyDeltas(): Promise<number> {
    const { plan, ports } = this.#input;
    let parts = 0;
    for (const offer of plan.offers.values()) {
      parts += await applyDelta(offer, {
        origin: ports.origin,
        writer: this.#writer,
        onBytes: (bytes) => this.#progress.received(undefined, bytes),
        signal: ports.signal,
      });
    }
    return parts;
  }

  async #transfer(
    commits: readonly ReceivedCommit[],
  ): Promise<{ readonly metadata: number; readonly content: number }> {
    const { options, ports, caches } = this.#input;
    const { origin, signal } = ports;
    const walk = this.#walk(commits);
    let opened: Pool | undefined;
    const pool = (): Pool => {
      opened ??= openPool({ write: this.#place }, threadsBeside(walk.known * UNPACKING));
      return opened;
    };
    const keepBytes = this.#repository.mode === 'archive';
    const { plainModes, trusted } = options;
    const large = new LargeObjects({ repository: this.#repository, origin, pool, keepBytes, plainModes, signal });
    try {
      return await transfer(walk, {
        origin,
        writer: this.#writer,
        pool,
        large,
        caches: caches.map(objectsOf),
        content: { keepBytes, trusted, plainModes },
        onObject: (checksum, bytes) => this.#progress.received(checksum, bytes),
        signal,
      });
    } finally {
      await opened?.close();
      large.close();
    }
  }

  /** Every commit that is not whole; beside it, to save looking, the one that its ref points to now. */
  #walk(commits: readonly ReceivedCommit[]): TreeWalk {
    const { options, plan } = this.#input;
    const reader = this.#writer.reader;
    const walk = new TreeWalk(reader);
    const selection = selectPaths(options.subpaths);
    for (const { checksum, commit, isComplete } of commits) {
      if (isComplete) continue;
      const before = [plan.wanted.find((each) => each.checksum === checksum)?.previous, commit.parent];
      const whole = before.find((each) => each !== undefined && isWhole(this.#repository, each));
      const base = whole === undefined ? undefined : reader.commit(whole);
      walk.root(commit.rootTree, commit.rootMeta, selection, base?.rootTree);
    }
    for (const { superblock } of plan.offers.values()) {
      for (const { checksum } of superblock.fallbacks) walk.file(checksum);
    }
    return walk;
  }

  #finish(
    receiver: CommitReceiver,
    commits: readonly ReceivedCommit[],
    counts: { readonly metadata: number; readonly content: number; readonly parts: number },
  ): PullResult {
    const { transaction, options, plan, ports } = this.#input;
    const isPartial = options.commitOnly || selectPaths(options.subpaths) !== 'all';
    for (const { checksum, isComplete } of commits) {
      if (!isPartial && !isComplete) transaction.endPartial(checksum);
    }
    for (const { place, ref, checksum, previous } of plan.wanted) {
      if (ref !== undefined && previous !== checksum) transaction.setRef({ place, ref, commit: checksum });
    }
    for (const { checksum, child, isDeleted } of receiver.missingParents) {
      const why = isDeleted ? 'was deleted by the publisher' : 'is not on the server';
      this.#progress.note(`commit ${checksum}, parent of ${child}, ${why}: history ends there`);
    }
    const { count, ...received } = { ...counts, count: plan.offers.size };
    return {
      refs: plan.wanted.flatMap(({ place, ref, checksum, previous }) =>
        ref === undefined ? [] : [{ place, ref, from: previous, to: checksum }],
      ),
      commits: commits.map(({ checksum, isComplete, signatures }) => {
        const offer = plan.offers.get(checksum);
        const delta = offer === undefined ? undefined : { from: offer.superblock.from };
        return { checksum, isOld: isComplete, isPartial: isPartial && !isComplete, signatures, delta };
      }),
      summarySignatures: plan.facts.summary?.signatures ?? [],
      missingParents: receiver.missingParents,
      metadata: received.metadata,
      content: received.content,
      deltas: { count, parts: received.parts },
      bytes: ports.origin.bytes,
      requests: ports.origin.requests,
    };
  }
}
