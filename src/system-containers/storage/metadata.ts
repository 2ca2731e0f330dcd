/** Values in the metadata of commits: text, though some programs have stored numbers. */
import { decodeDecimal } from '../../base/decode.ts';
import { type Digest, isDigest } from '../../oci/index.ts';
import { formatVariant, lookup, string, type Vardict, variantOf } from '../../ostree/index.ts';

export const KEYS = {
  size: 'docker.size',
  uncompressedSize: 'docker.uncompressed_size',
  uncompressedDigest: 'docker.uncompressed_digest',
  manifest: 'docker.manifest',
  digest: 'docker.digest',
  signatures: 'signatures',
  /** Ours: JSON of what vouched for the image. */
  verification: 'tako.verification',
  /** Ours: diff ids of everything below, where hard links lead there: over another base it would be another tree. */
  below: 'tako.layers-below',
  /** Ours: `0` for a layer that takes nothing away; its tree is merged without a look into it. */
  whiteouts: 'tako.whiteouts',
} as const;

export function textOf(metadata: Vardict, key: string): string | undefined {
  return lookup(metadata, key, string);
}

/** As text, or as a number of any width. */
export function countOf(metadata: Vardict, key: string): number | undefined {
  const text = textOf(metadata, key);
  if (text !== undefined) return decodeDecimal(text);
  const value = metadata.find(([name]) => name === key)?.[1];
  if (value === undefined || !/^[ynqiuxt]$/.test(value.signature)) return undefined;
  return decodeDecimal(formatVariant(value).replace(/^[a-z0-9]+ /, ''));
}

export function digestOfKey(metadata: Vardict, key: string): Digest | undefined {
  const text = textOf(metadata, key);
  return text !== undefined && isDigest(text) ? text : undefined;
}

export function textEntries(values: Readonly<Record<string, string | undefined>>): Vardict {
  return Object.entries(values).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, variantOf(string, text)] as const],
  );
}
