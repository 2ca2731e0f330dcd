/**
 * Detached metadata of a commit (`.commitmeta`): an `a{sv}` that is replaced as a whole and not hashed, so it says
 * nothing until its signatures were verified. No bytes at all are a valid empty one. The same form signs summaries.
 */
import { array, bytes, lookup, type Vardict, vardict, variantOf, withEntry } from '../../gvariant/index.ts';
import type { Checksum } from './checksum.ts';
import { decodeStrictly } from './file-header.ts';

export const GPG_SIGNATURES = 'ostree.gpgsigs';
export const ED25519_SIGNATURES = 'ostree.sign.ed25519';
export const SPKI_SIGNATURES = 'ostree.sign.spki';

const SIGNATURES = array(bytes);

/** @throws OstreeError OBJECT_MALFORMED */
export function decodeDetached(object: Uint8Array, what: string): Vardict {
  return decodeStrictly(() => vardict.decode(object), what);
}

export function encodeDetached(metadata: Vardict): Uint8Array {
  return vardict.encode(metadata);
}

/** The signatures of one kind, none when there is no such key or it holds something else. */
export function signaturesOf(metadata: Vardict, key: string): readonly Uint8Array[] {
  return lookup(metadata, key, SIGNATURES) ?? [];
}

/** Appends to the array of `key`; every other key stays. */
export function withSignature(metadata: Vardict, key: string, signature: Uint8Array): Vardict {
  return withSignatures(metadata, key, [...signaturesOf(metadata, key), signature]);
}

/** Exactly these of one kind: the key goes with the last of them. Every other key stays. */
export function withSignatures(metadata: Vardict, key: string, signatures: readonly Uint8Array[]): Vardict {
  if (signatures.length === 0) return metadata.filter(([name]) => name !== key);
  return withEntry(metadata, key, variantOf(SIGNATURES, signatures));
}

/** What takes the place of a deleted commit: `a{sv}` with its checksum as text and NUL. */
export function encodeTombstone(commit: Checksum): Uint8Array {
  return vardict.encode([['commit', variantOf(bytes, Buffer.from(`${commit}\0`))]]);
}
