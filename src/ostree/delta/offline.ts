/** A delta from a file, without any server: `apply-offline`. Spec 9.6. */
import { OstreeError } from '../error.ts';
import { Reach, reachTree } from '../history/reach.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { decodeCommit } from '../objects/commit.ts';
import { encodeDetached } from '../objects/detached.ts';
import { isPartial } from '../repository/partial.ts';
import type { Repository } from '../repository/repository.ts';
import type { Verifier } from '../signatures/verifier.ts';
import { missing, type ObjectReader, objectsOf } from '../storage/object-reader.ts';
import { corrupt, type ObjectWriter } from '../storage/object-writer.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import { applyPart } from './apply-part.ts';
import { type DeltaFile, openDeltaPath } from './delta-file.ts';
import { deltaName } from './names.ts';
import { malformed, type Superblock } from './superblock.ts';

export interface OfflineOptions {
  /** What the superblock must be signed with. */
  readonly verifier?: Verifier | undefined;
  /** Look at everything that can be looked at beforehand, and write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

export interface OfflineResult {
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  /** False: the commit was there already, whole. */
  readonly isNew: boolean;
  readonly parts: number;
  /** Objects in the parts. */
  readonly objects: number;
  /** Bytes of the parts' files. */
  readonly size: number;
}

/**
 * Make the commit of a delta out of what is there. No ref is set; the repository is as before unless all of it, the whole
 * tree, is there and every object is what its name says.
 * @param path the superblock's file, or a directory with `superblock` in it
 * @throws OstreeError DELTA_MALFORMED, DELTA_MISSING, DELTA_UNSUITABLE, OBJECT_MISSING, OBJECT_CORRUPT, SIGNATURE_MISSING,
 *   SIGNATURE_INVALID
 */
export async function applyOffline(
  repository: Repository,
  path: string,
  options: OfflineOptions,
): Promise<OfflineResult> {
  const file = openDeltaPath(path);
  try {
    await verifySuperblock(repository, file, options.verifier);
    const superblock = file.decode();
    assertApplicable(objectsOf(repository), superblock, file.what);
    const { from, to, parts } = superblock;
    const isNew = !objectsOf(repository).has(to, 'commit') || isPartial(repository, to);
    if (isNew && options.dryRun !== true) {
      await withTransaction(repository, options, (transaction) => apply(transaction, superblock, file, options.signal));
    }
    const objects = parts.reduce((sum, part) => sum + part.objects.length, 0);
    return { from, to, isNew, parts: parts.length, objects, size: parts.reduce((sum, { size }) => sum + size, 0) };
  } finally {
    file.close();
  }
}

const SIGN_VERIFY_DELTAS = 'sign-verify-deltas';

/** Before anything is read out of it. */
async function verifySuperblock(
  repository: Repository,
  { bytes, signatures, what }: DeltaFile,
  verifier: Verifier | undefined,
): Promise<void> {
  if (verifier?.isRequired === true) {
    await verifier.verify(bytes, signatures ?? [], what);
  } else if (repository.keyFile.boolean('core', SIGN_VERIFY_DELTAS) === true) {
    throw new OstreeError('SIGNATURE_MISSING', `${what}: ${SIGN_VERIFY_DELTAS} asks for a signature, no key is named`, {
      hint: 'name the keys with --keys-file or --keys-dir',
      subject: what,
    });
  }
}

function assertApplicable(reader: ObjectReader, { from, to, commit, fallbacks }: Superblock, what: string): void {
  const found = sha256(commit);
  if (found !== to) throw corrupt('commit', to, found);
  if (from !== undefined && !reader.has(from, 'commit')) {
    throw new OstreeError('OBJECT_MISSING', `${what}: starts from commit ${from}, which is not in the repository`, {
      hint: 'apply the deltas up to that commit first, or one from nothing',
      subject: from,
    });
  }
  const absent = fallbacks.filter(({ type, checksum }) => !reader.has(checksum, type));
  if (absent.length > 0) {
    const [first] = absent;
    throw new OstreeError('DELTA_UNSUITABLE', `${what}: ${absent.length} objects must be fetched from a server`, {
      hint: 'make the delta with --min-fallback-size=0',
      subject: first?.checksum,
    });
  }
}

async function apply(
  transaction: Transaction,
  superblock: Superblock,
  file: DeltaFile,
  signal: AbortSignal,
): Promise<void> {
  const { writer } = transaction;
  for (const [index, part] of superblock.parts.entries()) {
    signal.throwIfAborted();
    if (part.objects.every(({ checksum, type }) => writer.reader.has(checksum, type))) continue;
    const input = { part, file: file.part(superblock, index), what: `${file.what}: part ${index}` };
    await applyPart(writer, input, signal);
  }
  // Only now: a failure before leaves objects that nothing refers to, and no commit without its objects.
  putCommit(transaction, writer, superblock, file.what);
}

function putCommit(transaction: Transaction, writer: ObjectWriter, superblock: Superblock, what: string): void {
  const { to, commit, detached } = superblock;
  assertWhole(writer.reader, superblock, what);
  transaction.beginPartial(to);
  if (detached !== undefined) writer.putNamedMetadata('commitmeta', to, encodeDetached(detached));
  writer.putNamedMetadata('commit', to, commit);
  transaction.endPartial(to);
}

/** A delta may bring less than the commit needs. @throws OstreeError OBJECT_MISSING, DELTA_MALFORMED */
function assertWhole(reader: ObjectReader, superblock: Superblock, what: string): void {
  const { from, to } = superblock;
  const reach = new Reach();
  reachTree(reader, decodeCommit(superblock.commit, `commit ${to}`), reach, (tree) => {
    throw malformed(what, `delta ${deltaName({ from, to })} does not bring dirtree ${tree}`, missing(tree, 'dirtree'));
  });
  for (const { checksum, type } of reach.names()) {
    if (!reader.has(checksum, type)) {
      const absent = missing(checksum, type);
      throw malformed(what, `delta ${deltaName({ from, to })} does not bring ${type} ${checksum}`, absent);
    }
  }
}
