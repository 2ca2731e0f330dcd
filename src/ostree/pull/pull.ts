/**
 * Pull from a web server: which commits, from which deltas, then whatever is still missing. Refs move at the very end,
 * when everything they point to is on the disk. The order of requests is that of spec 13.3.
 */
import { type Progress, silent } from '../../base/progress.ts';
import { OstreeError } from '../error.ts';
import { openPool, type Pool, threadsFor } from '../jobs/pool.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Remote } from '../remotes/remote.ts';
import { parseMode } from '../repository/config.ts';
import { KeyFile } from '../repository/key-file.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { ObjectWriter } from '../storage/object-writer.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import { CommitReceiver, isWhole, type ReceivedCommit, storeCommit } from './commits.ts';
import { applyDelta } from './delta-apply.ts';
import { chooseDelta, type DeltaOffer } from './delta-choice.ts';
import { httpSource } from './http-source.ts';
import { LargeObjects } from './large-objects.ts';
import { storeMirroredSummary } from './mirror-summary.ts';
import type { PullOptions, PullResult } from './options.ts';
import type { Origin } from './origin.ts';
import type { SignaturePolicy } from '../signatures/remote-policy.ts';
import { PullProgress } from './pull-progress.ts';
import { fetchSummary, type RemoteSummary } from './remote-summary.ts';
import { selectPaths } from './subpath.ts';
import { transfer } from './transfer.ts';
import { TreeWalk } from './tree-walk.ts';
import { findWanted, type Wanted } from './wanted.ts';

const CONFIG_LIMIT = 2 ** 20;

export interface PullPorts {
  readonly origin: Origin;
  readonly policy: SignaturePolicy;
  readonly progress?: Progress | undefined;
  readonly onWait?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

/** What the server says of itself. */
interface RemoteFacts {
  readonly summary: RemoteSummary | undefined;
  readonly hasTombstones: boolean;
  readonly isIndexed: boolean;
}

/** What there is to do, known before anything is stored. */
export interface PullPlan {
  readonly facts: RemoteFacts;
  readonly wanted: readonly Wanted[];
  readonly offers: ReadonlyMap<Checksum, DeltaOffer>;
}

/** @throws OstreeError for what is refused, with nothing stored that could be seen; HttpError */
export async function pull(
  repository: Repository,
  remote: Remote,
  options: PullOptions,
  ports: PullPorts,
): Promise<PullResult> {
  const plan = await planPull(repository, remote, options, ports);
  const { signal, onWait } = ports;
  const caches = options.caches.map(openRepository);
  try {
    const result = await withTransaction(repository, { signal, onWait, fsync: options.fsync }, (transaction) =>
      new PullRun({ transaction, remote, options, ports, plan, caches }).run(),
    );
    if (options.mirror && options.asked.length === 0) storeMirroredSummary(repository, plan.facts.summary);
    return result;
  } finally {
    for (const cache of caches) cache.close();
  }
}

export async function planPull(
  repository: Repository,
  remote: Remote,
  options: PullOptions,
  { origin, policy, progress = silent, signal }: PullPorts,
): Promise<PullPlan> {
  const asked =
    options.asked.length > 0 || options.mirror
      ? options.asked
      : remote.branches.map((ref) => ({ ref, commit: undefined }));
  if (asked.length === 0 && !options.mirror) {
    throw new OstreeError('REF_MISSING', `remote ${remote.name}: no branches are configured, and none was named`, {
      hint: 'name the refs to pull, or use --mirror for all of them',
      subject: remote.name,
    });
  }
  const needsSummary = policy.summary.isRequired || asked.length === 0 || asked.some(({ commit }) => commit === undefined);
  const request = { origin, repository, remote: remote.name, verifier: policy.summary, signal };
  const summary = needsSummary ? await fetchSummary(request) : undefined;
  const facts = await remoteFacts(origin, summary, signal);
  warnIfExpired(summary, progress);
  const wanted = await findWanted({
    repository,
    remote: remote.name,
    collectionId: remote.collectionId,
    asked,
    mirror: options.mirror,
    summary: summary?.summary,
    origin,
    signal,
  });
  return { facts, wanted, offers: await chooseDeltas(repository, options, { origin, policy, signal }, facts, wanted) };
}

/** From the summary when there is one, else from the server's own `config`. @throws OstreeError REMOTE_UNSUITABLE */
async function remoteFacts(
  origin: Origin,
  summary: RemoteSummary | undefined,
  signal: AbortSignal,
): Promise<RemoteFacts> {
  if (summary !== undefined) {
    const { mode, tombstoneCommits, indexedDeltas } = summary.summary;
    if (mode !== undefined) assertArchive(mode);
    return { summary, hasTombstones: tombstoneCommits, isIndexed: indexedDeltas };
  }
  const bytes = await origin.get('metadata', 'config', CONFIG_LIMIT, signal);
  if (bytes === undefined) return { summary, hasTombstones: false, isIndexed: false };
  const file = KeyFile.parse(Buffer.from(bytes).toString('utf8'), 'config of the remote');
  assertArchive(file.string('core', 'mode') ?? 'bare');
  return {
    summary,
    hasTombstones: file.boolean('core', 'tombstone-commits') ?? false,
    isIndexed: file.boolean('core', 'indexed-deltas') ?? false,
  };
}

function assertArchive(mode: string): void {
  if (parseMode(mode) === 'archive') return;
  throw new OstreeError('REMOTE_UNSUITABLE', `the remote is a repository of mode ${mode}: only archive can be served`);
}

/** A server that is held back at an old state shows in nothing else. */
function warnIfExpired(summary: RemoteSummary | undefined, progress: Progress): void {
  const expires = summary?.summary.expires;
  if (expires === undefined || expires * 1000 > Date.now()) return;
  const text = `the summary expired at ${new Date(expires * 1000).toISOString()}: the server may offer an old state`;
  progress({ kind: 'warning', text });
}

async function chooseDeltas(
  repository: Repository,
  options: PullOptions,
  { origin, policy, signal }: Pick<PullPorts, 'origin' | 'policy' | 'signal'>,
  { summary, isIndexed }: RemoteFacts,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<Checksum, DeltaOffer>> {
  const offers = new Map<Checksum, DeltaOffer>();
  const isUseless = options.commitOnly || options.subpaths.length > 0;
  if (options.deltas === 'off' || isUseless) return offers;
  // A mirror needs every object anyway, and libostree makes no use of deltas for an archive.
  if (options.deltas === 'allowed' && (options.mirror || repository.mode === 'archive')) return offers;
  const listed = summary?.summary.deltas;
  const mustBeListed = policy.summary.isRequired;
  for (const each of wanted) {
    if (offers.has(each.checksum) || isWhole(repository, each.checksum)) continue;
    const source = { origin, repository, isIndexed, listed, mustBeListed, signal };
    const offer = await chooseDelta(source, each);
    if (offer !== undefined) offers.set(each.checksum, offer);
    else if (options.deltas === 'required') {
      throw new OstreeError('DELTA_MISSING', `commit ${each.checksum}: there is no static delta for it`, {
        subject: each.checksum,
      });
    }
  }
  return offers;
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
    this.#place = options.perObjectFsync ? { ...transaction.place, syncEach: true } : transaction.place;
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

  async #transfer(commits: readonly ReceivedCommit[]): Promise<{ readonly metadata: number; readonly content: number }> {
    const { options, ports, caches } = this.#input;
    const { origin, signal } = ports;
    const walk = this.#walk(commits);
    let opened: Pool | undefined;
    const pool = (): Pool => {
      opened ??= openPool({ write: this.#place }, threadsFor(walk.known));
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
