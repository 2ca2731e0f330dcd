/** Delta indexes: `a{sv}` with the key `ostree.static-deltas`, an `a{sv}` of delta names and superblock digests. */
import { quote } from '../../base/text.ts';
import { bytes, lookup, openVariant, type Vardict, vardict, variantOf } from '../../gvariant/index.ts';
import { type Checksum, checksumBytes, checksumOf } from '../objects/checksum.ts';
import { malformed, naming } from './superblock.ts';

export const STATIC_DELTAS = 'ostree.static-deltas';

const NAME = /^[0-9a-f]{64}(-[0-9a-f]{64})?$/;

/** Delta name (`FROM-TO` or `TO`) to the SHA-256 of its superblock. */
export type DeltaDigests = ReadonlyMap<string, Checksum>;

/** @throws OstreeError DELTA_MALFORMED */
export function decodeDeltaIndex(file: Uint8Array, what: string): DeltaDigests {
  return naming(what, () => decodeDigests(lookup(vardict.decode(file), STATIC_DELTAS, vardict) ?? [], what));
}

/** The value of the key, in an index or in a summary. @throws OstreeError DELTA_MALFORMED, OBJECT_MALFORMED */
export function decodeDigests(entries: Vardict, what: string): DeltaDigests {
  return new Map(
    entries.map(([name, held]): [string, Checksum] => {
      if (!NAME.test(name)) throw malformed(what, `${quote(name)} is no name of a delta`);
      const digest = openVariant(held, bytes);
      if (digest === undefined)
        throw malformed(what, `delta ${name}: expected a digest, found ${quote(held.signature)}`);
      return [name, checksumOf(digest, what)];
    }),
  );
}

export function encodeDigests(digests: DeltaDigests): Vardict {
  return [...digests].map(([name, digest]) => [name, variantOf(bytes, checksumBytes(digest))] as const);
}

export function encodeDeltaIndex(digests: DeltaDigests): Uint8Array {
  return vardict.encode([[STATIC_DELTAS, variantOf(vardict, encodeDigests(digests))]]);
}
