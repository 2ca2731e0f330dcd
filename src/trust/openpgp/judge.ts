/** The judgement on one signature by one key. */
import type { Key, SignaturePacket, Subkey } from 'openpgp';
import { digestName, publicKeyName, refuseAlgorithms, refuseKey } from './algorithms.ts';
import type { Library } from './library.ts';
import { primaryStanding, type Standing, subkeyStanding } from './standing.ts';
import { CLOCK_SKEW_MS, holds } from './statements.ts';
import type { OpenPgpVerdict } from './verdict.ts';

/** A key of the ring, and the part of it that a signature names. */
export interface Signer {
  readonly key: Key;
  readonly part: Key | Subkey;
}

/** What a signature says about itself. */
export function describe(signature: SignaturePacket): Omit<OpenPgpVerdict, 'status' | 'reason'> {
  const end = signature.getExpirationTime();
  return {
    fingerprint: undefined,
    keyId: signature.issuerKeyID.toHex().toUpperCase().padStart(16, '0'),
    userId: undefined,
    signedAt: signature.created ?? undefined,
    expiresAt: end instanceof Date ? end : undefined,
    keyExpiresAt: undefined,
    algorithm: publicKeyName(signature.publicKeyAlgorithm ?? 0),
    hash: digestName(signature.hashAlgorithm ?? 0),
  };
}

/**
 * Judge a signature by a key that it names.
 *
 * First whether its algorithms are accepted, then whether it is correct, then whether the key may vouch, and last
 * whether everything is still in force: of several reasons against a correct signature "revoked" is told before
 * "key expired" before "signature expired" (GnuPG tells them in the opposite order).
 */
export async function judge(
  library: Library,
  { key, part }: Signer,
  signature: SignaturePacket,
  data: object,
  now: Date,
): Promise<OpenPgpVerdict> {
  const about = { ...describe(signature), fingerprint: key.getFingerprint().toUpperCase() };
  const refused = refuse(library, { key, part }, signature);
  if (refused !== undefined) return { ...about, userId: key.getUserIDs()[0], status: 'unusable', reason: refused };
  const primary = await primaryStanding(library, key, now);
  const signing = part === key ? primary : await subkeyStanding(library, key, part as Subkey, now);
  const expiresAtMs = Math.min(primary.expiresAtMs, signing.expiresAtMs);
  const known = {
    ...about,
    userId: primary.userIds[0],
    keyExpiresAt: Number.isFinite(expiresAtMs) ? new Date(expiresAtMs) : undefined,
  };
  const { binary } = library.enums.signature;
  if (!(await holds(library, part.keyPacket, signature, binary, data))) {
    return { ...known, status: 'bad', reason: 'signature does not belong to these bytes' };
  }
  return { ...known, ...inForce(signature, primary, signing, now) };
}

/** Rules that need no computing with the key. */
function refuse(library: Library, { key, part }: Signer, signature: SignaturePacket): string | undefined {
  const { binary, text } = library.enums.signature;
  const critical = signature.unknownSubpackets.find((subpacket) => subpacket.critical);
  if (signature.signatureType === text) return 'signature over text, which leaves the ends of lines open';
  if (signature.signatureType !== binary) return `signature of type ${signature.signatureType}, not over data`;
  if (critical !== undefined) return `signature with the unknown critical part ${critical.type}`;
  if (signature.rawNotations.some((notation) => notation.critical)) return 'signature with a critical notation';
  return (
    refuseAlgorithms(signature.publicKeyAlgorithm ?? 0, signature.hashAlgorithm ?? 0) ??
    refuseKey(part.getAlgorithmInfo()) ??
    refuseKey(key.getAlgorithmInfo())
  );
}

/** Of a correct signature: does it count? */
function inForce(
  signature: SignaturePacket,
  primary: Standing,
  signing: Standing,
  now: Date,
): Pick<OpenPgpVerdict, 'status' | 'reason'> {
  const revoked = primary.revoked ?? signing.revoked;
  if (revoked !== undefined) return { status: 'revoked-key', reason: revoked };
  // The primary key need not sign data itself when a subkey does it.
  const flaw = signing.flaw ?? (primary.flaw === 'key that may not sign data' ? undefined : primary.flaw);
  if (flaw !== undefined) return { status: 'unusable', reason: flaw };
  const made = signature.created?.getTime() ?? Infinity;
  if (made < signing.createdAt.getTime()) return { status: 'unusable', reason: 'signature is older than its key' };
  if (made > now.getTime() + CLOCK_SKEW_MS) {
    return { status: 'unusable', reason: 'signature comes from the future: check the clock' };
  }
  if (primary.expiresAtMs <= now.getTime()) return { status: 'expired-key', reason: 'key has expired' };
  if (signing.expiresAtMs <= now.getTime()) return { status: 'expired-key', reason: 'signing subkey has expired' };
  const end = signature.getExpirationTime();
  if (end instanceof Date && end <= now) return { status: 'expired-signature', reason: 'signature has expired' };
  return { status: 'good', reason: undefined };
}
