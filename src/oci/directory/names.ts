/** How skopeo's `dir:` names its files. The algorithms of digests are not part of them. */
import { type Digest, splitDigest } from '../digest.ts';

export const VERSION_FILE = 'version';
export const VERSION_TEXT = 'Directory Transport Version: 1.1\n';
/** Of the image, or of the index. */
export const MANIFEST_FILE = 'manifest.json';

export function blobFile(digest: Digest): string {
  return splitDigest(digest).hex;
}

/** A manifest that the index names. */
export function memberFile(digest: Digest): string {
  return `${splitDigest(digest).hex}.manifest.json`;
}

/** @param member undefined: of `manifest.json` @param number from 1 on */
export function signatureFile(member: Digest | undefined, number: number): string {
  return `${member === undefined ? '' : `${splitDigest(member).hex}-`}signature-${number}`;
}
