/** Signatures for people, as `ostree show` prints them; those that it does not know of follow in words of our own. */
import { describeReport, type SignatureReport } from '../../../ostree/index.ts';

/** Lines behind a commit: an empty one before each signature. Nothing for no signatures. */
export function signatureLines(reports: readonly SignatureReport[]): string[] {
  const gpg = reports.filter(({ kind }) => kind === 'gpg');
  const others = reports.filter(({ kind }) => kind !== 'gpg');
  return [
    ...(gpg.length === 0 ? [] : [`Found ${count(gpg.length)}:`]),
    ...gpg.flatMap((report) => ['', ...describeGpg(report).map((line) => `  ${line}`)]),
    ...others.flatMap((report) => ['', `  ${describeReport(report)}`]),
  ];
}

function count(signatures: number): string {
  return `${signatures} signature${signatures === 1 ? '' : 's'}`;
}

function describeGpg(report: SignatureReport): string[] {
  const { key, keyId = key?.slice(-16) ?? 'unknown', expiresAt, keyExpiresAt, status } = report;
  const made = report.signedAt === undefined ? 'at an unknown time' : formatLocal(report.signedAt);
  const isSubkey = key !== undefined && !key.toUpperCase().endsWith(keyId);
  return [
    `Signature made ${made} using ${ALGORITHMS[report.algorithm] ?? report.algorithm.toUpperCase()} key ID ${keyId}`,
    verdictOf(report),
    ...(isSubkey ? [`Primary key ID ${key.slice(-16).toUpperCase()}`] : []),
    ...expiry('Signature', expiresAt, status === 'expired-signature'),
    ...expiry('Key', keyExpiresAt, status === 'expired-key'),
  ];
}

const ALGORITHMS: Readonly<Record<string, string>> = { rsa: 'RSA', dsa: 'DSA', ecdsa: 'ECDSA', eddsa: 'EdDSA' };

function verdictOf({ status, reason, userId = 'unknown' }: SignatureReport): string {
  switch (status) {
    case 'good':
      return `Good signature from "${userId}"`;
    case 'unknown-key':
      return "Can't check signature: public key not found";
    case 'revoked-key':
      return 'Key revoked';
    case 'expired-signature':
      return `Expired signature from "${userId}"`;
    case 'unusable':
      return `Can't check signature: ${reason ?? 'unusable'}`;
    case 'bad':
    case 'expired-key':
      return `BAD signature from "${userId}"`;
  }
}

function expiry(what: string, time: Date | undefined, isOver: boolean): string[] {
  return time === undefined ? [] : [`${what} ${isOver ? 'expired' : 'expires'} ${formatLocal(time)}`];
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `%c` of the C locale, in local time: `Sat Nov 21 02:58:59 2026`. */
function formatLocal(time: Date): string {
  if (Number.isNaN(time.getTime())) return 'at an impossible time';
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const day = String(time.getDate()).padStart(2);
  return `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${day} ${clock.join(':')} ${time.getFullYear()}`;
}
