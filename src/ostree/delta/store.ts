/** The deltas of a repository: listed, removed, verified. They are made in `generate/`. */
import fs from 'node:fs';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { compareNames } from '../objects/order.ts';
import { lockForChange } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';
import type { KeySet } from '../signatures/key-set.ts';
import type { SignatureReport } from '../signatures/report.ts';
import { type Verifier, verifierOf } from '../signatures/verifier.ts';
import { listDeltas as listFolders, listIndexes, reindexDeltas as writeIndexes } from '../summary/delta-index.ts';
import { type DeltaFile, SUPERBLOCK } from './delta-file.ts';
import { type DeltaName, deltaName, deltaPath, parseModifiedBase64 } from './names.ts';

/** Those with a superblock, by name. */
export function listDeltas(repository: Repository): readonly DeltaName[] {
  return listFolders(repository)
    .filter((name) => hasDelta(repository, name))
    .sort((a, b) => compareNames(deltaName(a), deltaName(b)));
}

export function hasDelta(repository: Repository, name: DeltaName): boolean {
  return fs.existsSync(`${repository.root}/${deltaPath(name)}/${SUPERBLOCK}`);
}

/** The commits that there are indexes of, sorted. */
export function listDeltaIndexes(repository: Repository): readonly Checksum[] {
  return listIndexes(repository)
    .flatMap((path) => parseModifiedBase64(path.replace(/^delta-indexes\/(..)\/(.*)\.index$/, '$1$2')) ?? [])
    .sort();
}

export interface ReindexOptions extends DeltaChangeOptions {
  /** Only the index of this commit. */
  readonly to?: Checksum | undefined;
}

/** Have the indexes say which deltas there are. @returns how many deltas there are */
export async function reindexDeltas(repository: Repository, options: ReindexOptions): Promise<number> {
  const held = await lockForChange(repository, 'shared', options);
  try {
    if (options.dryRun !== true) writeIndexes(repository, options.to);
    return listDeltas(repository).filter(({ to }) => options.to === undefined || to === options.to).length;
  } finally {
    held.release();
  }
}

export interface DeltaChangeOptions {
  readonly dryRun?: boolean | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** Indexes and summary are not changed. @throws OstreeError DELTA_MISSING */
export async function deleteDelta(repository: Repository, name: DeltaName, options: DeltaChangeOptions): Promise<void> {
  const held = await lockForChange(repository, 'exclusive', options);
  try {
    if (!hasDelta(repository, name)) throw noDelta(name);
    if (options.dryRun === true) return;
    const path = `${repository.root}/${deltaPath(name)}`;
    // The superblock first: without it there is no delta, whatever happens to the rest.
    fs.rmSync(`${path}/${SUPERBLOCK}`, { recursive: true });
    fs.rmSync(path, { recursive: true });
  } finally {
    held.release();
  }
}

export function noDelta(name: DeltaName): OstreeError {
  return new OstreeError('DELTA_MISSING', `no delta ${deltaName(name)}`, {
    hint: '"ostree-container repo delta list" shows those that there are',
    subject: deltaName(name),
  });
}

/** One good signature by any of these keys. */
export function deltaVerifier(keys: KeySet): Verifier {
  const advice = { addKeys: 'name its public key', unsigned: 'ask the publisher to sign the delta' };
  return verifierOf([{ setting: `${keys.kind} keys`, anyOf: [keys], advice }]);
}

/** @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
export function verifyDelta(
  { bytes, signatures, what }: DeltaFile,
  verifier: Verifier,
): Promise<readonly SignatureReport[]> {
  if (signatures !== undefined) return verifier.verify(bytes, signatures, what);
  throw new OstreeError('SIGNATURE_MISSING', `${what}: not signed`, { subject: what });
}
