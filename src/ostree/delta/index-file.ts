/** Delta indexes: `a{sv}` with the key `ostree.static-deltas`, an `a{sv}` of delta names and superblock digests. */
import { bytes, lookup, type Vardict, vardict, variantOf } from '../../gvariant/index.ts';
import { type Checksum, checksumBytes, checksumOf } from '../objects/checksum.ts';
import { malformed, naming } from './superblock.ts';

export const STATIC_DELTAS = 'ostree.static-deltas';

/** Delta name (`FROM-TO` or `TO`) to the SHA-256 of its superblock. */
export type DeltaDigests = ReadonlyMap<string, Checksum>;

/** @throws OstreeError DELTA_MALFORMED */
export function decodeDeltaIndex(file: Uint8Array, what: string): DeltaDigests {
  return naming(what, () => decodeDigests(lookup(vardict.decode(file), STATIC_DELTAS, vardict) ?? [], what));
}

/** The value of the key, in an index or in a summary. */
export function decodeDigests(entries: Vardict, what: string): DeltaDigests {
  const digests = new Map<string, Checksum>();
  for (const [name, held] of entries) {
    const digest = lookup([[name, held]], name, bytes);
    if (digest === undefined) throw malformed(what, `delta ${name}: a digest of type ${held.signature}`);
    digests.set(name, checksumOf(digest, what));
  }
  return digests;
}

export function encodeDigests(digests: DeltaDigests): Vardict {
  return [...digests].map(([name, digest]) => [name, variantOf(bytes, checksumBytes(digest))] as const);
}

export function encodeDeltaIndex(digests: DeltaDigests): Uint8Array {
  return vardict.encode([[STATIC_DELTAS, variantOf(vardict, encodeDigests(digests))]]);
}
