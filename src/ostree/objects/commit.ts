/**
 * A commit (`.commit`).
 *
 * Shape: `(a{sv}aya(say)sstayay)` = metadata, parent or nothing, related (always empty), subject, body, timestamp (s,
 * big-endian), root dirtree, root dirmeta. Source: OSTREE_COMMIT_GVARIANT_FORMAT in ostree-core.h.
 */
import crypto from 'node:crypto';
import { array, bytes, string, tuple, uint64be, type Vardict, vardict } from '../../gvariant/index.ts';
import { malformed } from '../error.ts';
import { type Checksum, checksumBytes, checksumOf } from './checksum.ts';
import { decodeStrictly } from './file-header.ts';

export interface Commit {
  readonly metadata: Vardict;
  readonly parent: Checksum | undefined;
  readonly related: readonly (readonly [name: string, checksum: Checksum])[];
  readonly subject: string;
  readonly body: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly rootTree: Checksum;
  readonly rootMeta: Checksum;
}

/** Also the type of the commit that a delta carries. */
export const COMMIT = tuple(vardict, bytes, array(tuple(string, bytes)), string, string, uint64be, bytes, bytes);

/** @throws OstreeError OBJECT_MALFORMED */
export function decodeCommit(object: Uint8Array, what = 'commit'): Commit {
  const [metadata, parent, related, subject, body, timestamp, tree, meta] = decodeStrictly(
    () => COMMIT.decode(object),
    what,
  );
  if (metadata.some(([key]) => key === '')) throw malformed(what, 'a metadata key is empty');
  if (timestamp > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(what, `a timestamp of ${timestamp} seconds`);
  return {
    metadata,
    parent: parent.length === 0 ? undefined : checksumOf(parent, what),
    related: related.map(([name, checksum]) => [name, checksumOf(checksum, what)]),
    subject,
    body,
    timestamp: Number(timestamp),
    rootTree: checksumOf(tree, what),
    rootMeta: checksumOf(meta, what),
  };
}

export function encodeCommit(commit: Commit): Uint8Array {
  return COMMIT.encode([
    commit.metadata,
    commit.parent === undefined ? new Uint8Array() : checksumBytes(commit.parent),
    commit.related.map(([name, checksum]) => [name, checksumBytes(checksum)] as const),
    commit.subject,
    commit.body,
    BigInt(commit.timestamp),
    checksumBytes(commit.rootTree),
    checksumBytes(commit.rootMeta),
  ]);
}

/** Equal for equal trees, whatever their history: SHA-256 over both roots. */
export function contentChecksum({ rootTree, rootMeta }: Pick<Commit, 'rootTree' | 'rootMeta'>): Checksum {
  return crypto.createHash('sha256').update(checksumBytes(rootTree)).update(checksumBytes(rootMeta)).digest('hex');
}
