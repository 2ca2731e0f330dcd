/** What pages tell of a commit: read once, remembered for a while. */
import { codeOf } from '../../../base/error.ts';
import { lookup, string } from '../../../gvariant/index.ts';
import {
  type Checksum,
  type Commit,
  type CommitSizes,
  inspectSignatures,
  objectsOf,
  type Repository,
  type SignatureReport,
  sizesOf,
  totalOf,
} from '../../../ostree/index.ts';

export interface CommitFacts {
  readonly checksum: Checksum;
  readonly commit: Commit;
  readonly version: string | undefined;
  /** Undefined when the commit does not tell. */
  readonly sizes: CommitSizes | undefined;
  readonly signatures: Signatures;
}

export type Signatures =
  | { readonly kind: 'reports'; readonly reports: readonly SignatureReport[] }
  /** More of them, or larger ones, than a page looks at; or not in the format. */
  | { readonly kind: 'not-examined'; readonly why: string };

/** Signatures take less; somebody else may have put anything there. */
const DETACHED_LIMIT = 256 * 1024;

/** Undefined when there is no such commit. Signatures are checked with the keys of the repository's remotes. */
export async function readCommitFacts(repository: Repository, checksum: Checksum): Promise<CommitFacts | undefined> {
  const reader = objectsOf(repository);
  const bytes = reader.metadataIfPresent(checksum, 'commit');
  if (bytes === undefined) return undefined;
  const commit = reader.commit(checksum);
  const sizes = sizesOf(commit);
  return {
    checksum,
    commit,
    version: lookup(commit.metadata, 'version', string),
    sizes: sizes && totalOf(sizes),
    signatures: await readSignatures(repository, checksum, bytes),
  };
}

async function readSignatures(repository: Repository, checksum: Checksum, data: Uint8Array): Promise<Signatures> {
  const reader = objectsOf(repository);
  const size = reader.find(checksum, 'commitmeta')?.stats.size ?? 0;
  if (size > DETACHED_LIMIT) return { kind: 'not-examined', why: 'the detached metadata are too large' };
  try {
    return { kind: 'reports', reports: await inspectSignatures(repository, data, reader.detached(checksum)) };
  } catch (error) {
    // A keyring or signature that cannot be read must not take the page away: it says so instead.
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { kind: 'not-examined', why: code };
  }
}

/** Time for which a keyring or a signature may change unseen. */
const FRESH_MS = 30_000;
const REMEMBERED = 500;

/** Checking signatures is what takes time: each commit once in a while, whoever asks how often. */
export function rememberFacts(repository: Repository): (checksum: Checksum) => Promise<CommitFacts | undefined> {
  const known = new Map<Checksum, { readonly atMs: number; readonly facts: Promise<CommitFacts | undefined> }>();
  return (checksum) => {
    const found = known.get(checksum);
    if (found !== undefined && performance.now() - found.atMs < FRESH_MS) return found.facts;
    const facts = readCommitFacts(repository, checksum);
    known.delete(checksum);
    known.set(checksum, { atMs: performance.now(), facts });
    facts.catch(() => known.delete(checksum));
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    return facts;
  };
}
