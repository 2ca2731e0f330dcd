/**
 * Commits on their way in, from any kind of source: their bytes against their name, their signatures over these
 * bytes, and only then what they say. Nothing is stored before all of it holds. Spec 13.3, step 5.
 */
import { OstreeError } from '../error.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import { decodeDetached } from '../objects/detached.ts';
import { METADATA_LIMIT } from '../objects/object-type.ts';
import { isPartial } from '../repository/partial.ts';
import type { Repository } from '../repository/repository.ts';
import type { SignatureReport } from '../signatures/report.ts';
import type { Verifier } from '../signatures/verifier.ts';
import { ObjectReader, objectsOf } from '../storage/object-reader.ts';
import { corrupt, type ObjectWriter } from '../storage/object-writer.ts';
import type { Transaction } from '../storage/transaction.ts';
import { assertBindings, assertNotOlder } from './bindings.ts';

/** Where commits come from. Undefined: there is none. */
export interface CommitSource {
  commit(checksum: Checksum, limit: number): Promise<Uint8Array | undefined>;
  detached(checksum: Checksum): Promise<Uint8Array | undefined>;
  /** Asked for a parent that is absent: did the publisher delete it? */
  isDeleted(checksum: Checksum): Promise<boolean>;
}

export interface CommitRules {
  readonly verifier: Verifier;
  /** Undefined: bindings are not looked at. */
  readonly bindings: { readonly collectionId: string | undefined } | undefined;
  /** Generations of parents; -1 all. */
  readonly depth: number;
  /** A commit that no other may be older than. */
  readonly notBefore: Checksum | undefined;
}

/** A commit that was asked for. */
export interface WantedCommit {
  readonly checksum: Checksum;
  /** Undefined: it was asked for by checksum. */
  readonly ref: string | undefined;
  /** Size of the object, when the summary says it. */
  readonly size?: number | undefined;
  /** The commit of this ref that it must not be older than. */
  readonly notBefore?: Checksum | undefined;
}

/** A commit that may be stored. */
export interface ReceivedCommit {
  readonly checksum: Checksum;
  readonly commit: Commit;
  readonly bytes: Uint8Array;
  readonly detached: Uint8Array | undefined;
  /** Everything of it is here already. */
  readonly isComplete: boolean;
  readonly signatures: readonly SignatureReport[];
}

/** A line that ends before it should. */
export interface MissingParent {
  readonly checksum: Checksum;
  readonly child: Checksum;
  readonly isDeleted: boolean;
}

export class CommitReceiver {
  /** Newest first for each line. */
  readonly received = new Map<Checksum, ReceivedCommit>();
  readonly missingParents: MissingParent[] = [];
  readonly #repository: Repository;
  readonly #reader: ObjectReader;
  readonly #source: CommitSource;
  readonly #rules: CommitRules;
  /** How far back each was followed already. */
  readonly #followed = new Map<Checksum, number>();

  /** @param staged where objects of an earlier run may lie */
  constructor(repository: Repository, source: CommitSource, rules: CommitRules, staged?: ObjectReader) {
    this.#repository = repository;
    this.#reader = staged ?? objectsOf(repository);
    this.#source = source;
    this.#rules = rules;
  }

  /** A commit and its parents. @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, SIGNATURE_*, BINDING_MISMATCH ... */
  async receive(wanted: WantedCommit): Promise<ReceivedCommit> {
    const limit = wanted.size === undefined || wanted.size === 0 ? METADATA_LIMIT : wanted.size;
    const head = await this.#one(wanted.checksum, Math.min(limit, METADATA_LIMIT));
    if (head === undefined) {
      throw new OstreeError('OBJECT_MISSING', `commit ${wanted.checksum}: not in the repository that is pulled from`, {
        subject: wanted.checksum,
      });
    }
    this.#assertWanted(head, wanted);
    await this.#parents(head);
    return head;
  }

  #assertWanted({ checksum, commit }: ReceivedCommit, { ref, notBefore }: WantedCommit): void {
    const { bindings } = this.#rules;
    if (bindings !== undefined) assertBindings(checksum, commit, { ref, collectionId: bindings.collectionId });
    for (const other of [notBefore, this.#rules.notBefore]) {
      if (other === undefined || other === checksum) continue;
      assertNotOlder(checksum, commit, { checksum: other, commit: objectsOf(this.#repository).commit(other) });
    }
  }

  async #parents(head: ReceivedCommit): Promise<void> {
    let left = this.#rules.depth < 0 ? Number.POSITIVE_INFINITY : this.#rules.depth;
    let child = head;
    for (; left > 0; left--) {
      const { parent } = child.commit;
      if (parent === undefined || (this.#followed.get(parent) ?? -1) >= left - 1) return;
      this.#followed.set(parent, left - 1);
      const received = await this.#one(parent, METADATA_LIMIT);
      if (received === undefined) {
        const isDeleted = await this.#source.isDeleted(parent);
        this.missingParents.push({ checksum: parent, child: child.checksum, isDeleted });
        return;
      }
      const { bindings } = this.#rules;
      if (bindings !== undefined) assertBindings(parent, received.commit, { ref: undefined, ...bindings });
      child = received;
    }
  }

  async #one(checksum: Checksum, limit: number): Promise<ReceivedCommit | undefined> {
    const before = this.received.get(checksum);
    if (before !== undefined) return before;
    const isComplete = isWhole(this.#repository, checksum);
    const offered = await this.#source.detached(checksum);
    const own = this.#reader.metadataIfPresent(checksum, 'commit');
    const bytes = own ?? (await this.#source.commit(checksum, limit));
    if (bytes === undefined) return undefined;
    const found = sha256(bytes);
    if (found !== checksum) throw corrupt('commit', checksum, found);
    const detached = offered ?? this.#reader.metadataIfPresent(checksum, 'commitmeta');
    const signatures = await this.#verify(checksum, bytes, detached);
    const commit = decodeCommit(bytes, `commit ${checksum}`);
    const received = { checksum, commit, bytes, detached: offered, isComplete, signatures };
    this.received.set(checksum, received);
    return received;
  }

  async #verify(
    checksum: Checksum,
    bytes: Uint8Array,
    detached: Uint8Array | undefined,
  ): Promise<readonly SignatureReport[]> {
    const signatures = detached === undefined ? [] : decodeDetached(detached, `commitmeta ${checksum}`);
    const { verifier } = this.#rules;
    return verifier.isRequired ? verifier.verify(bytes, signatures, `commit ${checksum}`) : [];
  }
}

/** Is a commit here with everything that belongs to it? What a killed run left in staging does not count. */
export function isWhole(repository: Repository, checksum: Checksum): boolean {
  for (let at: Repository | undefined = repository; at !== undefined; at = at.parent) {
    const own = new ObjectReader([{ path: `${at.root}/objects`, mode: at.mode }]);
    if (own.has(checksum, 'commit')) return !isPartial(at, checksum);
  }
  return false;
}

/** Store what was received: marked as partial before it has its name. Detached metadata only when they differ. */
export function storeCommit(
  transaction: Transaction,
  writer: ObjectWriter,
  { checksum, bytes, detached, isComplete }: ReceivedCommit,
): void {
  if (!isComplete) transaction.beginPartial(checksum);
  if (detached !== undefined) {
    const present = writer.reader.metadataIfPresent(checksum, 'commitmeta');
    if (present === undefined || Buffer.compare(present, detached) !== 0) {
      writer.putNamedMetadata('commitmeta', checksum, detached);
    }
  }
  writer.putNamedMetadata('commit', checksum, bytes);
}
