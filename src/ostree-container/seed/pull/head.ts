/** The commit of an image and its signatures, held against what the image says of itself and who it must be signed by. */
import {
  type Checksum,
  decodeCommit,
  decodeDetached,
  OstreeError,
  type SignatureReport,
  sha256,
  type Verifier,
} from '../../../ostree/index.ts';
import { assertCommitLabel } from '../../labels/index.ts';
import { type CommitHead, verifyHead } from '../../stream/index.ts';
import { SeedError } from '../error.ts';
import { type Entries, readWhole, repositoryEntry } from './layer-entries.ts';

const METADATA_BYTES = 10 * 2 ** 20;
const CONFIG_BYTES = 2 ** 16;

/**
 * The first commit of a layer and, right behind it, its detached metadata. Undefined where an object of another kind
 * comes before: it is not taken.
 * @throws OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED; SeedError SEED_MALFORMED, SEED_LIMIT; TarError
 */
export async function readHead(entries: Entries): Promise<CommitHead | undefined> {
  for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
    const found = repositoryEntry(entry);
    if (found.kind === 'config') assertArchive(await readWhole(entry, CONFIG_BYTES));
    if (found.kind !== 'object') continue;
    if (found.type !== 'commit') {
      entries.giveBack(entry);
      return undefined;
    }
    const bytes = await readWhole(entry, METADATA_BYTES);
    return commitHead(found.checksum, bytes, await readDetached(entries, found.checksum));
  }
  return undefined;
}

async function readDetached(entries: Entries, commit: Checksum): Promise<Uint8Array | undefined> {
  const entry = await entries.next();
  if (entry === undefined) return undefined;
  const found = repositoryEntry(entry);
  if (found.kind === 'object' && found.type === 'commitmeta' && found.checksum === commit) {
    return readWhole(entry, METADATA_BYTES);
  }
  entries.giveBack(entry);
  return undefined;
}

/** @throws OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED */
export function commitHead(checksum: Checksum, bytes: Uint8Array, detached: Uint8Array | undefined): CommitHead {
  const found = sha256(bytes);
  if (found !== checksum) {
    throw new OstreeError('OBJECT_CORRUPT', `commit ${checksum}: its content gives ${found}`, { subject: checksum });
  }
  if (detached !== undefined) decodeDetached(detached, `commitmeta ${checksum}`); // judged, whoever asks for it
  return { checksum, commit: decodeCommit(bytes, `commit ${checksum}`), bytes, detached };
}

export interface HeadRules {
  /** What the label of the image says. */
  readonly labelled: Checksum | undefined;
  /** Undefined: `--no-verify`. */
  readonly verifier: Verifier | undefined;
}

/**
 * @throws LabelError COMMIT_LABEL_MISMATCH; StreamError COMMITMETA_MISSING, SIGNATURE_KEY_MISSING, SIGNATURE_EXPIRED;
 *   OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID
 */
export async function judgeHead(
  head: CommitHead,
  { labelled, verifier }: HeadRules,
): Promise<readonly SignatureReport[]> {
  assertCommitLabel(labelled, head.checksum);
  return verifier === undefined ? [] : verifyHead(head, verifier);
}

export function assertArchive(config: Uint8Array): void {
  const text = Buffer.from(config).toString('latin1');
  if (/^\s*mode\s*=\s*(archive|archive-z2)\s*$/m.test(text)) return;
  throw new SeedError('SEED_MALFORMED', 'ostree/repo/config: the repository of an image has the mode archive-z2');
}
