/** Make the summary of a repository, sign it, and put both files in their places together. Spec 8, "Generation". */
import {
  array,
  boolean,
  lookup,
  string,
  uint64be,
  type Vardict,
  type Variant,
  vardict,
  variantOf,
} from '../../gvariant/index.ts';
import { encodeDigests } from '../delta/index-file.ts';
import type { Checksum } from '../objects/checksum.ts';
import { decodeCommit, encodeCommit } from '../objects/commit.ts';
import { encodeDetached } from '../objects/detached.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeDirTree } from '../objects/dirtree.ts';
import { formatMode } from '../repository/config.ts';
import { lockForChange } from '../repository/lock.ts';
import { HEAD, listIn, listRefs, type Ref, readRef } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { addSignatures } from '../signatures/sign.ts';
import type { CommitSigner } from '../signatures/signers.ts';
import { type ObjectReader, objectsOf } from '../storage/object-reader.ts';
import { withTransaction } from '../storage/transaction.ts';
import { digestDeltas, reindexDeltas } from './delta-index.ts';
import { collectionMap, encodeSummary, type RefLine, SUMMARY_KEYS } from './summary.ts';
import { writeSummary } from './write-summary.ts';

export interface UpdateSummaryOptions {
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  /** For the summary, and for the commit of `ostree-metadata`; what this module writes itself is not replaced by it. */
  readonly additionalMetadata?: Vardict | undefined;
  /** Without any, an old `summary.sig` goes. */
  readonly signers?: readonly CommitSigner[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: number | undefined;
  /** Commit to `ostree-metadata` when the repository has a collection id. */
  readonly commitMetadata?: boolean | undefined;
  /** Change nothing; without the commit and the signatures that there would be. */
  readonly dryRun?: boolean | undefined;
}

export interface UpdatedSummary {
  /** Of the repository's own list; those of other collections are not counted. */
  readonly refs: number;
  readonly deltas: number;
  readonly size: number;
  readonly isSigned: boolean;
  /** The new commit of `ostree-metadata`. */
  readonly metadataCommit: Checksum | undefined;
}

/** The ref that carries a collection's metadata to those who do not ask for a summary. */
export const METADATA_REF = 'ostree-metadata';

/** @throws OstreeError OBJECT_MISSING when a ref leads to no commit; CodedError LOCK_TIMEOUT */
export async function updateSummary(repository: Repository, options: UpdateSummaryOptions): Promise<UpdatedSummary> {
  const { now = Date.now(), dryRun = false, additionalMetadata = [] } = options;
  const signers = dryRun ? [] : (options.signers ?? []);
  const held = await lockForChange(repository, 'shared', options);
  try {
    const seconds = Math.floor(now / 1000);
    const metadataCommit = dryRun ? undefined : await writeMetadataCommit(repository, seconds, options);
    const deltas = dryRun ? digestDeltas(repository) : reindexDeltas(repository);
    const { refs, metadata } = composeSummary(repository, deltas, seconds, additionalMetadata);
    const bytes = encodeSummary({ refs, metadata });
    const signatures = signers.length === 0 ? undefined : encodeDetached(await addSignatures(bytes, [], signers));
    options.signal.throwIfAborted();
    if (!dryRun) writeSummary(repository, bytes, signatures);
    const size = bytes.length;
    return { refs: refs.length, deltas: deltas.size, size, isSigned: signatures !== undefined, metadataCommit };
  } finally {
    held.release();
  }
}

/** To be called when refs were changed: `core.auto-update-summary`. The repository's metadata are not committed anew. */
export async function afterRefsChanged(
  repository: Repository,
  options: Pick<UpdateSummaryOptions, 'signal' | 'onWait' | 'timeoutMs' | 'now'>,
): Promise<void> {
  if (repository.config.autoUpdateSummary) await updateSummary(repository, { ...options, commitMetadata: false });
}

function composeSummary(
  repository: Repository,
  deltas: ReadonlyMap<string, Checksum>,
  seconds: number,
  additional: Vardict,
): { readonly refs: readonly RefLine[]; readonly metadata: Vardict } {
  const { config } = repository;
  const reader = objectsOf(repository);
  const collections = new Map<string, RefLine[]>();
  for (const ref of listRefs(repository)) {
    if (ref.place.kind !== 'mirror') continue;
    const { collection } = ref.place;
    const lines = collections.get(collection) ?? [];
    lines.push(lineOf(reader, ref));
    collections.set(collection, lines);
  }
  const hasDeltas = deltas.size > 0 && !config.noDeltasInSummary;
  const own: (readonly [string, Variant])[] = [
    [SUMMARY_KEYS.mode, variantOf(string, formatMode(config.mode))],
    [SUMMARY_KEYS.lastModified, variantOf(uint64be, BigInt(seconds))],
    [SUMMARY_KEYS.tombstoneCommits, variantOf(boolean, config.tombstoneCommits)],
    ...(hasDeltas ? [[SUMMARY_KEYS.deltas, variantOf(vardict, encodeDigests(deltas))] as const] : []),
    ...(collections.size > 0 ? [[SUMMARY_KEYS.collectionMap, collectionMap(collections)] as const] : []),
    [SUMMARY_KEYS.indexedDeltas, variantOf(boolean, true)],
    ...(config.collectionId === undefined
      ? []
      : [[SUMMARY_KEYS.collectionId, variantOf(string, config.collectionId)] as const]),
  ];
  const taken = new Set(own.map(([key]) => key));
  const metadata = [...own, ...additional.filter(([key]) => !taken.has(key))];
  return { refs: listIn(repository, HEAD).map((ref) => lineOf(reader, ref)), metadata };
}

function lineOf(reader: ObjectReader, { ref, commit }: Ref): RefLine {
  const bytes = reader.metadata(commit, 'commit');
  const { metadata, timestamp } = decodeCommit(bytes, `commit ${commit}`);
  const version = lookup(metadata, 'version', string);
  return {
    ref,
    commit,
    size: bytes.length,
    metadata: [
      ...(version === undefined ? [] : [[SUMMARY_KEYS.version, variantOf(string, version)] as const]),
      [SUMMARY_KEYS.timestamp, variantOf(uint64be, BigInt(timestamp))],
    ],
  };
}

/** An empty tree; what is said is in the commit's metadata. */
async function writeMetadataCommit(
  repository: Repository,
  timestamp: number,
  { signal, additionalMetadata = [], signers = [], commitMetadata = true }: UpdateSummaryOptions,
): Promise<Checksum | undefined> {
  const { collectionId } = repository.config;
  if (collectionId === undefined || !commitMetadata) return undefined;
  return withTransaction(repository, { signal }, async (transaction) => {
    const { writer } = transaction;
    const rootTree = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories: [] })).checksum;
    const attributes = { uid: 0, gid: 0, mode: 0o40755, xattrs: [] };
    const rootMeta = writer.putMetadata('dirmeta', encodeDirMeta(attributes)).checksum;
    const bindings: Vardict = [
      ['ostree.collection-binding', variantOf(string, collectionId)],
      ['ostree.ref-binding', variantOf(array(string), [METADATA_REF])],
    ];
    const taken = new Set(bindings.map(([key]) => key));
    const commit = encodeCommit({
      metadata: [...additionalMetadata.filter(([key]) => !taken.has(key)), ...bindings],
      parent: readRef(repository, HEAD, METADATA_REF),
      related: [],
      subject: '',
      body: '',
      timestamp,
      rootTree,
      rootMeta,
    });
    const { checksum } = writer.putMetadata('commit', commit);
    if (signers.length > 0) {
      writer.putNamedMetadata('commitmeta', checksum, encodeDetached(await addSignatures(commit, [], signers)));
    }
    transaction.setRef({ place: HEAD, ref: METADATA_REF, commit: checksum });
    return checksum;
  });
}
