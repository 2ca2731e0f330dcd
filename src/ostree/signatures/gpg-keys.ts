/** OpenPGP keyrings as keys that may vouch. */
import { type KeyFile, type OpenPgpKeyring, type OpenPgpVerdict, openKeyring } from '../../trust/index.ts';
import { GPG_SIGNATURES } from '../objects/detached.ts';
import type { KeySet } from './key-set.ts';
import type { SignatureReport } from './report.ts';

/** The files are parsed when the first signature is met: a commit without any needs no OpenPGP. */
export function gpgKeys(files: readonly KeyFile[]): KeySet {
  let opened: Promise<OpenPgpKeyring> | undefined;
  const ring = (): Promise<OpenPgpKeyring> => {
    opened ??= openKeyring(files);
    return opened;
  };
  return {
    kind: 'gpg',
    metadataKey: GPG_SIGNATURES,
    async check(data, signature, now) {
      return (await (await ring()).verify(data, signature, now)).map(toReport);
    },
    async content() {
      const { keys, problems } = await ring();
      return { count: keys.length, problems };
    },
  };
}

const NO_KEY_ID = '0'.repeat(16);

function toReport(verdict: OpenPgpVerdict): SignatureReport {
  const { status, fingerprint, keyId, userId, signedAt, expiresAt, keyExpiresAt, algorithm, reason } = verdict;
  return {
    kind: 'gpg',
    status,
    key: fingerprint,
    keyId: keyId === NO_KEY_ID ? undefined : keyId,
    userId,
    signedAt,
    expiresAt,
    keyExpiresAt,
    algorithm,
    reason,
  };
}
