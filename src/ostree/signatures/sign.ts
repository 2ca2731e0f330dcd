/** Adding signatures to detached metadata and taking them away. The commit itself stays as it is. */
import type { Vardict } from '../../gvariant/index.ts';
import { openKeyring } from '../../trust/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeDetached, GPG_SIGNATURES, signaturesOf, withSignature, withSignatures } from '../objects/detached.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import type { CommitSigner } from './signers.ts';

export interface SignOptions {
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  /** Sign and compare, but write nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface Signed {
  /** Signatures that were not there before. */
  readonly added: number;
  /** Signers whose signature was there already. */
  readonly present: number;
}

interface Made {
  readonly key: CommitSigner['key'];
  readonly signature: Uint8Array;
}

/**
 * The metadata with a signature of each signer over `data`, all other entries kept: for `summary.sig`, and for the
 * detached metadata of a commit that is being made.
 */
export async function addSignatures(
  data: Uint8Array,
  metadata: Vardict,
  signers: readonly CommitSigner[],
): Promise<Vardict> {
  return (await append(metadata, await makeSignatures(data, signers))).metadata;
}

/** A commit that this transaction makes, or one that is there; its detached metadata appear with the transaction. */
export async function signStagedCommit(
  transaction: Transaction,
  commit: Checksum,
  signers: readonly CommitSigner[],
): Promise<void> {
  const { reader } = transaction.writer;
  const metadata = await addSignatures(reader.metadata(commit, 'commit'), reader.detached(commit), signers);
  transaction.writer.putNamedMetadata('commitmeta', commit, encodeDetached(metadata));
}

/**
 * Sign a commit of the repository, durably. A signature that is there already is not made twice: the same bytes, or one
 * that names the same OpenPGP key and has not expired.
 * @throws OstreeError OBJECT_MISSING, REPOSITORY_READ_ONLY; what the signers throw
 */
export async function signCommit(
  repository: Repository,
  commit: Checksum,
  signers: readonly CommitSigner[],
  options: SignOptions,
): Promise<Signed> {
  // Before the lock is taken: an agent may ask its user for a passphrase.
  const made = await makeSignatures(objectsOf(repository).metadata(commit, 'commit'), signers);
  return changeDetached(repository, commit, options, async (before) => {
    const { metadata, added } = await append(before, made);
    return { metadata, isChanged: added > 0, result: { added, present: made.length - added } };
  });
}

/**
 * Take signatures away: those of one kind that are meant.
 * @returns how many went
 * @throws OstreeError OBJECT_MISSING, REPOSITORY_READ_ONLY
 */
export async function removeSignatures(
  repository: Repository,
  commit: Checksum,
  { key, isMeant }: { readonly key: string; isMeant(signature: Uint8Array): Promise<boolean> },
  options: SignOptions,
): Promise<number> {
  objectsOf(repository).metadata(commit, 'commit');
  return changeDetached(repository, commit, options, async (before) => {
    const signatures = signaturesOf(before, key);
    const kept: Uint8Array[] = [];
    for (const signature of signatures) if (!(await isMeant(signature))) kept.push(signature);
    const removed = signatures.length - kept.length;
    return { metadata: withSignatures(before, key, kept), isChanged: removed > 0, result: removed };
  });
}

async function makeSignatures(data: Uint8Array, signers: readonly CommitSigner[]): Promise<readonly Made[]> {
  const made: Made[] = [];
  // One after the other: two agents that ask for a passphrase at once confuse their user.
  for (const signer of signers) made.push({ key: signer.key, signature: await signer.sign(data) });
  return made;
}

async function append(before: Vardict, made: readonly Made[]): Promise<{ metadata: Vardict; added: number }> {
  let metadata = before;
  let added = 0;
  for (const { key, signature } of made) {
    if (await isThere(signaturesOf(metadata, key), key, signature)) continue;
    metadata = withSignature(metadata, key, signature);
    added++;
  }
  return { metadata, added };
}

async function isThere(existing: readonly Uint8Array[], key: string, signature: Uint8Array): Promise<boolean> {
  if (existing.length === 0) return false;
  if (existing.some((each) => Buffer.compare(each, signature) === 0)) return true;
  if (key !== GPG_SIGNATURES) return false;
  const [own] = await namedKeys(signature);
  if (own === undefined) return false;
  for (const each of existing) if ((await namedKeys(each)).includes(own)) return true;
  return false;
}

/** The keys that a signature names, if it has not expired; nothing is verified. */
async function namedKeys(signature: Uint8Array): Promise<readonly string[]> {
  const now = new Date();
  const verdicts = await (await openKeyring([])).verify(new Uint8Array(), signature, now);
  return verdicts.flatMap(({ keyId, expiresAt }) =>
    /^0*$/.test(keyId) || (expiresAt !== undefined && expiresAt <= now) ? [] : [keyId],
  );
}

interface Change<T> {
  readonly metadata: Vardict;
  readonly isChanged: boolean;
  readonly result: T;
}

/** Read, change and write under the exclusive lock: two signers at once must not lose each other's signature. */
async function changeDetached<T>(
  repository: Repository,
  commit: Checksum,
  { dryRun, ...waiting }: SignOptions,
  change: (before: Vardict) => Promise<Change<T>>,
): Promise<T> {
  const changed = (): Promise<Change<T>> => change(objectsOf(repository).detached(commit));
  if (dryRun === true) return (await changed()).result;
  const held = repository.config.locking ? await repository.lock.acquire('exclusive', waiting) : undefined;
  try {
    const { metadata, isChanged, result } = await changed();
    if (isChanged) {
      await withTransaction(repository, waiting, async (transaction) => {
        transaction.writer.putNamedMetadata('commitmeta', commit, encodeDetached(metadata));
      });
    }
    return result;
  } finally {
    held?.release();
  }
}
