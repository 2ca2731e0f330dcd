/** A whole commit: trees in, a commit object and a ref out, all or nothing. */
import { type Vardict, type Variant, withEntry } from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import { encodeDetached } from '../objects/detached.ts';
import { parseRefspec, type Refspec } from '../repository/ref-names.ts';
import { HEAD, type RefPlace, readRef } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { resolveRevision } from '../repository/resolve.ts';
import { signStagedCommit } from '../signatures/sign.ts';
import type { CommitSigner } from '../signatures/signers.ts';
import { type Transaction, type TransactionOptions, withTransaction } from '../storage/transaction.ts';
import { afterRefsChanged } from '../summary/update-summary.ts';
import { bootableMetadata } from './bootable.ts';
import { buildTree, type TreeOptions, type TreeSource } from './build-tree.ts';
import { CheckedOut } from './checked-out.ts';
import { measureSizes } from './measure-sizes.ts';
import { type ModifierOptions, modifiersFor } from './modifiers.ts';
import type { Root } from './mutable-tree.ts';
import { type Statistics, Tally } from './tally.ts';
import { writeCommit } from './write-commit.ts';

export interface CommitRequest {
  readonly trees: readonly TreeSource[];
  readonly modifiers?: ModifierOptions | undefined;
  /** `REF` or `REMOTE:REF` that is set to the new commit; undefined: none is. */
  readonly branch?: string | undefined;
  /** `none`, or any revision. Default: what the branch is now. */
  readonly parent?: string | undefined;
  readonly subject?: string | undefined;
  readonly body?: string | undefined;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly metadata?: Vardict | undefined;
  /** Keys that are taken over from the parent. */
  readonly keepMetadata?: readonly string[] | undefined;
  readonly detachedMetadata?: Vardict | undefined;
  /** Refs beside the branch that the commit is meant for; undefined: no bindings at all, not of the branch either. */
  readonly bindRefs?: readonly string[] | undefined;
  readonly sizes?: boolean | undefined;
  readonly bootable?: boolean | undefined;
  /** Write nothing when the tree is that of the parent. */
  readonly skipIfUnchanged?: boolean | undefined;
  /** Trust hard links into the repository; `canonical`: modifiers do not apply to them either. */
  readonly linkedFiles?: 'unmodified' | 'canonical' | undefined;
  readonly signers?: readonly CommitSigner[] | undefined;
}

export interface Committed {
  /** The parent's when nothing was changed. */
  readonly commit: Checksum;
  readonly isUnchanged: boolean;
  readonly parent: Checksum | undefined;
  readonly root: Root;
  readonly statistics: Statistics;
}

/** @throws what `buildTree`, the signers and `withTransaction` throw; OstreeError REF_NAME, REF_MISSING, OBJECT_MALFORMED */
export async function commitTrees(
  repository: Repository,
  request: CommitRequest,
  options: TransactionOptions & Omit<TreeOptions, 'tally' | 'checkedOut'>,
): Promise<Committed> {
  const branch = request.branch === undefined ? undefined : parseRefspec(request.branch);
  const committed = await withTransaction(repository, options, async (transaction): Promise<Committed> => {
    const tally = new Tally();
    const modifiers = modifiersFor(repository, request.modifiers ?? {});
    const { linkedFiles } = request;
    const checkedOut = linkedFiles === undefined ? undefined : CheckedOut.of(repository, linkedFiles === 'canonical');
    const tree = await buildTree(transaction, request.trees, modifiers, { ...options, tally, checkedOut });
    const parent = parentOf(repository, request.parent, branch);
    const writer = tally.counting(transaction.writer);
    const root = tree.write(writer);
    const before = parent === undefined ? undefined : commitIfPresent(transaction, parent);
    if (parent !== undefined && request.skipIfUnchanged === true && isSameTree(before, root)) {
      return { commit: parent, isUnchanged: true, parent, root, statistics: tally.statistics };
    }
    const metadata: (readonly [string, Variant])[] = [...(request.metadata ?? [])];
    if (request.bootable === true) metadata.push(...bootableMetadata(tree));
    metadata.push(...keptMetadata(before?.metadata, request.keepMetadata ?? []));
    const sizes = request.sizes === true ? measureSizes(transaction.writer.reader, root, tally) : undefined;
    const boundRefs = request.bindRefs && [...request.bindRefs, ...(branch === undefined ? [] : [branch.ref])];
    const commit = writeCommit(writer, root, {
      ...request,
      parent,
      metadata,
      boundRefs,
      collectionId: repository.config.collectionId,
      sizes,
    });
    await writeDetached(transaction, commit, request);
    if (branch !== undefined) transaction.setRef({ place: placeOf(branch), ref: branch.ref, commit });
    return { commit, isUnchanged: false, parent, root, statistics: tally.statistics };
  });
  if (branch !== undefined && !committed.isUnchanged && options.dryRun !== true)
    await afterRefsChanged(repository, options);
  return committed;
}

function placeOf({ remote }: Refspec): RefPlace {
  return remote === undefined ? HEAD : { kind: 'remote', remote };
}

function parentOf(
  repository: Repository,
  wanted: string | undefined,
  branch: Refspec | undefined,
): Checksum | undefined {
  if (wanted === 'none') return undefined;
  if (wanted !== undefined) return resolveRevision(repository, wanted);
  return branch === undefined ? undefined : readRef(repository, placeOf(branch), branch.ref);
}

/** A parent may be elsewhere, as in a repository that keeps no history. */
function commitIfPresent(transaction: Transaction, commit: Checksum): Commit | undefined {
  const bytes = transaction.writer.reader.metadataIfPresent(commit, 'commit');
  return bytes && decodeCommit(bytes, `commit ${commit}`);
}

function isSameTree(before: Root | undefined, root: Root): boolean {
  return before?.rootTree === root.rootTree && before.rootMeta === root.rootMeta;
}

/** @throws OstreeError PATH_MISSING for a key that the parent has not */
function keptMetadata(before: Vardict | undefined, keys: readonly string[]): Vardict {
  return keys.map((key) => {
    const kept = before?.find(([name]) => name === key);
    if (kept !== undefined) return kept;
    const text =
      before === undefined ? 'no parent here to keep metadata of' : 'the parent has no metadata of this name';
    throw new OstreeError('PATH_MISSING', `${key}: ${text}`, { subject: key });
  });
}

/** The same commit may be there with detached metadata already: they stay. */
async function writeDetached(transaction: Transaction, commit: Checksum, request: CommitRequest): Promise<void> {
  const { detachedMetadata = [], signers = [] } = request;
  if (detachedMetadata.length > 0) {
    const before = transaction.writer.reader.detached(commit);
    const all = detachedMetadata.reduce((dict, [key, value]) => withEntry(dict, key, value), before);
    transaction.writer.putNamedMetadata('commitmeta', commit, encodeDetached(all));
  }
  if (signers.length > 0) await signStagedCommit(transaction, commit, signers);
}
