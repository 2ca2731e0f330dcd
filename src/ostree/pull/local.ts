/**
 * Pull from a repository on this machine. Between repositories of one mode on one file system files are linked;
 * everything else is read and stored anew. Spec 13.1.
 */
import fs from 'node:fs';
import { silent } from '../../base/progress.ts';
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { Reach, reachTree } from '../history/reach.ts';
import { openPool, type Pool, threadsFor } from '../jobs/pool.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { MetadataType } from '../objects/object-type.ts';
import { HEAD, listIn, type RefPlace, readRef } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { tryResolve } from '../repository/resolve.ts';
import type { SignaturePolicy } from '../signatures/remote-policy.ts';
import type { SignatureReport } from '../signatures/report.ts';
import { verifierOf } from '../signatures/verifier.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { ObjectWriter } from '../storage/object-writer.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import { CommitReceiver, type CommitRules, type CommitSource, type ReceivedCommit, storeCommit } from './commits.ts';
import type { PullOptions, PullResult, RefMove } from './options.ts';
import type { PullPorts } from './plan.ts';
import { PresentFiles } from './present-files.ts';
import type { Asked } from './wanted.ts';

const BATCH = 256;

export interface LocalOptions extends Omit<PullOptions, 'mirror' | 'subpaths' | 'deltas' | 'caches' | 'trusted'> {
  /** Write refs as those of this remote; undefined: as heads. */
  readonly remote: string | undefined;
  /** The collection that commits must be bound to. */
  readonly collectionId?: string | undefined;
  /** Hash everything, also what is linked. */
  readonly untrusted: boolean;
}

export type LocalPorts = Omit<PullPorts, 'origin' | 'policy'> & {
  readonly policy?: SignaturePolicy | undefined;
  /** Reports about the summary of the source, when it was verified. */
  readonly summarySignatures?: readonly SignatureReport[] | undefined;
};

/** Nothing asked for: all heads of the source. @throws OstreeError REF_MISSING, OBJECT_MISSING, OBJECT_CORRUPT ... */
export async function pullLocal(
  from: Repository,
  into: Repository,
  options: LocalOptions,
  ports: LocalPorts,
): Promise<PullResult> {
  const { signal, onWait, timeoutMs } = ports;
  const waiting = { signal, onWait, timeoutMs };
  const held = mayLock(from) ? await from.lock.acquire('shared', waiting) : undefined;
  try {
    const moves = findMoves(from, into, options);
    return await withTransaction(into, { ...waiting, fsync: options.fsync }, (transaction) =>
      new LocalPull({ from, transaction, options, ports, moves }).run(),
    );
  } finally {
    held?.release();
  }
}

/** Somebody may delete objects while we read; where we cannot write, nobody is told that we do. */
function mayLock(from: Repository): boolean {
  if (!from.config.locking) return false;
  try {
    fs.accessSync(from.root, fs.constants.W_OK);
    return true;
  } catch {
    return false; // read only, as the comment above says
  }
}

/** A ref to be written, or a commit alone. */
export type Move = Omit<RefMove, 'ref'> & { readonly ref: string | undefined };

export function findMoves(from: Repository, into: Repository, { asked, remote }: LocalOptions): readonly Move[] {
  const place: RefPlace = remote === undefined ? HEAD : { kind: 'remote', remote };
  const wanted: readonly Asked[] =
    asked.length > 0 ? asked : listIn(from, HEAD).map(({ ref, commit }) => ({ ref, commit }));
  return wanted.map(({ ref, commit }) => {
    const to = commit ?? readRef(from, HEAD, ref ?? '') ?? tryResolve(from, ref ?? '');
    if (to === undefined) {
      throw new OstreeError('REF_MISSING', `${from.path}: no ref ${quote(ref ?? '')}`, { subject: ref });
    }
    return { place, ref, from: ref === undefined ? undefined : readRef(into, place, ref), to };
  });
}

/** What a commit must be like to be taken. */
export function rulesOf(options: LocalOptions, { policy }: LocalPorts): CommitRules {
  return {
    verifier: policy?.commits ?? verifierOf([]),
    bindings: options.bindings ? { collectionId: options.collectionId } : undefined,
    depth: options.depth,
    notBefore: options.notBefore,
  };
}

interface LocalInput {
  readonly from: Repository;
  readonly transaction: Transaction;
  readonly options: LocalOptions;
  readonly ports: LocalPorts;
  readonly moves: readonly Move[];
}

class LocalPull {
  readonly #input: LocalInput;
  readonly #place: Transaction['place'];
  readonly #writer: ObjectWriter;

  constructor(input: LocalInput) {
    const { transaction, options } = input;
    this.#input = input;
    this.#place = options.perObjectFsync ? { ...transaction.place, flush: 'now' } : transaction.place;
    this.#writer = options.perObjectFsync ? new ObjectWriter(this.#place) : transaction.writer;
  }

  async run(): Promise<PullResult> {
    const { transaction, options, ports, moves } = this.#input;
    const receiver = await this.#receive();
    const commits = [...receiver.received.values()];
    for (const commit of commits) storeCommit(transaction, this.#writer, commit);
    const copied = options.commitOnly ? NOTHING : await this.#copy(commits);
    for (const { checksum, isComplete } of commits) {
      if (!options.commitOnly && !isComplete) transaction.endPartial(checksum);
    }
    const refs = moves.flatMap(({ ref, ...move }) => (ref === undefined ? [] : [{ ...move, ref }]));
    for (const { place, ref, from, to } of refs) {
      if (from !== to) transaction.setRef({ place, ref, commit: to });
    }
    const { progress = silent } = ports;
    for (const { checksum } of receiver.missingParents) {
      progress({ kind: 'note', text: `commit ${checksum} is not in the source: history ends there` });
    }
    return {
      refs,
      commits: commits.map(({ checksum, isComplete, signatures }) => ({
        checksum,
        isOld: isComplete,
        isPartial: options.commitOnly && !isComplete,
        signatures,
        delta: undefined,
      })),
      summarySignatures: ports.summarySignatures ?? [],
      missingParents: receiver.missingParents,
      ...copied,
      deltas: { count: 0, parts: 0 },
      requests: 0,
    };
  }

  async #receive(): Promise<CommitReceiver> {
    const { from, transaction, options, ports, moves } = this.#input;
    const rules = rulesOf(options, ports);
    const receiver = new CommitReceiver(transaction.repository, localSource(from), rules, this.#writer.reader);
    for (const { ref, from: previous, to } of moves) {
      await receiver.receive({ checksum: to, ref, notBefore: options.timestampCheck ? previous : undefined });
    }
    return receiver;
  }

  async #copy(commits: readonly ReceivedCommit[]): Promise<typeof NOTHING> {
    const { from } = this.#input;
    const source = objectsOf(from);
    const reach = new Reach();
    for (const { commit, isComplete } of commits) if (!isComplete) reachTree(source, commit, reach);
    const pool = openPool({ write: this.#place }, threadsFor(reach.size));
    try {
      return await this.#import(pool, this.#missing(reach), source.places);
    } finally {
      await pool.close();
    }
  }

  /** Files that are here already are left out; of metadata each job looks for itself. */
  *#missing(reach: Reach): Generator<ObjectName> {
    const present = new PresentFiles(this.#writer.reader.places);
    for (const name of reach.names()) if (name.type !== 'file' || !present.has(name.checksum)) yield name;
  }

  async #import(
    pool: Pool,
    names: Iterable<ObjectName>,
    from: ReturnType<typeof objectsOf>['places'],
  ): Promise<typeof NOTHING> {
    const { transaction, options, ports } = this.#input;
    const mayLink = from.every(({ mode }) => mode === transaction.repository.mode);
    const totals = { metadata: 0, content: 0, bytes: 0 };
    const running: Promise<unknown>[] = [];
    for (const objects of batches(names)) {
      ports.signal.throwIfAborted();
      await pool.ready();
      const areNew = objects[0]?.type === 'file';
      const batch = { from, objects, verify: options.untrusted, mayLink, plainModes: options.plainModes, areNew };
      const job = pool.run('import-objects', batch).then(({ linked, copied, bytes }) => {
        totals[objects[0]?.type === 'file' ? 'content' : 'metadata'] += linked + copied;
        totals.bytes += bytes;
      });
      job.catch(() => undefined); // waited for below
      running.push(job);
    }
    await Promise.all(running);
    return totals;
  }
}

const NOTHING = { metadata: 0, content: 0, bytes: 0 };

/** Files apart from the rest, so that they are counted apart. */
function* batches(names: Iterable<ObjectName>): Generator<ObjectName[]> {
  let batch: ObjectName[] = [];
  for (const name of names) {
    const isOther = (batch[0]?.type === 'file') !== (name.type === 'file');
    if (batch.length > 0 && (batch.length >= BATCH || isOther)) {
      yield batch;
      batch = [];
    }
    batch.push(name);
  }
  if (batch.length > 0) yield batch;
}

export function localSource(from: Repository): CommitSource {
  const reader = objectsOf(from);
  const read = async (checksum: Checksum, type: Extract<MetadataType, 'commit'> | 'commitmeta') =>
    reader.metadataIfPresent(checksum, type);
  return {
    commit: (checksum) => read(checksum, 'commit'),
    detached: (checksum) => read(checksum, 'commitmeta'),
    isDeleted: async (checksum) => reader.has(checksum, 'tombstone-commit'),
  };
}
