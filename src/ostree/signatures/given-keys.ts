/** Keys that are named on a command line, for looking at one commit. */
import type { KeyFile } from '../../trust/index.ts';
import { gpgKeys } from './gpg-keys.ts';
import { KEY_FOLDERS, listedKeys } from './key-lists.ts';
import type { KeySet } from './key-set.ts';
import { parseRawKey, parseRawKeys } from './raw-key-text.ts';
import { type RawKey, type RawKind, rawKeys } from './raw-keys.ts';
import type { SignatureReport } from './report.ts';

export interface GivenKeys {
  readonly texts: readonly string[];
  readonly files: readonly KeyFile[];
  /** Has lists named like those of the system (`trusted.ed25519` ...), and takes their place. */
  readonly folder: string | undefined;
}

/** Those that are given; the system's lists when none is. @throws OstreeError CONFIG_MALFORMED */
export function givenKeys(kind: RawKind, { texts, files, folder }: GivenKeys): KeySet {
  const folders = folder === undefined ? KEY_FOLDERS : [folder];
  const given = parseGiven(kind, texts, files);
  const usesLists = folder !== undefined || given.length === 0;
  return rawKeys(kind, {
    trusted: usesLists ? [...given, ...listedKeys('trusted', kind, folders)] : given,
    revoked: listedKeys('revoked', kind, folders),
  });
}

/** Did one of these public keys make the signature, revoked or not? */
export function madeBy(
  kind: RawKind,
  { texts, files }: Pick<GivenKeys, 'texts' | 'files'>,
  data: Uint8Array,
): (signature: Uint8Array) => Promise<boolean> {
  const keys = rawKeys(kind, { trusted: parseGiven(kind, texts, files), revoked: [] });
  return async (signature) => (await keys.check(data, signature, new Date())).some(({ status }) => status === 'good');
}

/**
 * Signatures that name one of these OpenPGP keys: by key id (8 or 16 digits) or fingerprint, or by mail address or user
 * id when the key is in one of the keyrings. Whether they are good does not matter.
 */
export function namingKeys(
  ids: readonly string[],
  keyrings: readonly KeyFile[],
  data: Uint8Array,
): (signature: Uint8Array) => Promise<boolean> {
  const keys = gpgKeys(keyrings);
  return async (signature) =>
    (await keys.check(data, signature, new Date())).every((report) => ids.some((id) => isNamed(report, id)));
}

function parseGiven(kind: RawKind, texts: readonly string[], files: readonly KeyFile[]): readonly RawKey[] {
  return [
    ...texts.map((text, i) => parseRawKey(kind, text, `key ${i + 1}`)),
    ...files.flatMap(({ name, bytes }) => parseRawKeys(kind, bytes, name)),
  ];
}

function isNamed({ key, keyId, userId }: SignatureReport, id: string): boolean {
  const hex = id.replace(/^0x/i, '').replace(/[ !]/g, '').toUpperCase();
  if (/^([0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64})$/.test(hex)) {
    return key?.endsWith(hex) === true || keyId?.endsWith(hex) === true || (keyId !== undefined && hex.endsWith(keyId));
  }
  const name = userId?.toLowerCase();
  return name === id.toLowerCase() || name?.endsWith(`<${id.toLowerCase()}>`) === true;
}
