/** What is known about one signature, whatever its kind, and how it is told to people. */
import { printable, quote } from '../../base/text.ts';
import type { SignatureStatus } from '../../trust/index.ts';

export type SignatureKind = 'gpg' | 'ed25519' | 'spki';

export interface SignatureReport {
  readonly kind: SignatureKind;
  readonly status: SignatureStatus;
  /** Fingerprint of the primary key, or the public key in base64; undefined while the key is unknown. */
  readonly key: string | undefined;
  /** Of OpenPGP: 16 upper-case hex digits of the key that the signature names, a subkey perhaps. */
  readonly keyId: string | undefined;
  /** Untrusted text: anybody can write anything into a key. */
  readonly userId: string | undefined;
  /** What the signature says about itself; to be believed only when it is good. */
  readonly signedAt: Date | undefined;
  /** Of the signature. */
  readonly expiresAt: Date | undefined;
  readonly keyExpiresAt: Date | undefined;
  /** `rsa`, `eddsa`, `ed25519` ... */
  readonly algorithm: string;
  /** Which rule was broken; undefined for a good one. */
  readonly reason: string | undefined;
}

/** What can be said about a signature that says nothing about itself. */
export function plainReport(
  kind: SignatureKind,
  { status, key, reason }: Pick<SignatureReport, 'status' | 'key' | 'reason'>,
  algorithm: string = kind,
): SignatureReport {
  return {
    kind,
    status,
    key,
    keyId: undefined,
    userId: undefined,
    signedAt: undefined,
    expiresAt: undefined,
    keyExpiresAt: undefined,
    algorithm,
    reason,
  };
}

/** One line: `gpg signature by 831636F2… "Test": key has expired (2020-01-02T00:00:00Z)`. */
export function describeReport(report: SignatureReport): string {
  const { kind, status, reason } = report;
  const since = sinceWhen(report);
  const verdict =
    status === 'good' ? `good${since}` : `${VERDICTS[status]}: ${printable(reason ?? 'no reason')}${since}`;
  return `${kind} signature${signerOf(report)}: ${verdict}`;
}

const VERDICTS: Readonly<Record<Exclude<SignatureStatus, 'good'>, string>> = {
  bad: 'bad',
  'unknown-key': 'unknown key',
  'expired-signature': 'expired',
  'expired-key': 'expired key',
  'revoked-key': 'revoked key',
  unusable: 'unusable',
};

function signerOf({ key, keyId, userId }: SignatureReport): string {
  const name = key ?? keyId;
  if (name === undefined) return '';
  return ` by ${printable(name)}${userId === undefined ? '' : ` ${quote(userId)}`}`;
}

function sinceWhen({ status, signedAt, expiresAt, keyExpiresAt }: SignatureReport): string {
  if (status === 'good') return signedAt === undefined ? '' : `, made ${formatTime(signedAt)}`;
  const since = status === 'expired-key' ? keyExpiresAt : status === 'expired-signature' ? expiresAt : undefined;
  return since === undefined ? '' : ` (${formatTime(since)})`;
}

function formatTime(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'at an impossible time' : `${time.toISOString().slice(0, 19)}Z`;
}
