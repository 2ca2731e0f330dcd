/** A key as it is shown to people. */
import type { Key, Subkey } from 'openpgp';
import { publicKeyName } from './algorithms.ts';
import type { Library } from './library.ts';
import { primaryStanding, type Standing, subkeyStanding } from './standing.ts';
import type { OpenPgpKeyInfo, OpenPgpSubkeyInfo } from './verdict.ts';

/** By the newest statements of the key about itself; no clock is asked. */
export async function describeKey(library: Library, key: Key): Promise<OpenPgpKeyInfo> {
  const standing = await primaryStanding(library, key);
  const subkeys: OpenPgpSubkeyInfo[] = [];
  for (const subkey of key.subkeys) {
    const own = await subkeyStanding(library, key, subkey);
    subkeys.push({ ...describePart(subkey, own), canSign: own.flaw === undefined });
  }
  return { ...describePart(key, standing), userIds: standing.userIds, subkeys };
}

function describePart(part: Key | Subkey, standing: Standing): Omit<OpenPgpSubkeyInfo, 'canSign'> {
  return {
    fingerprint: part.getFingerprint().toUpperCase(),
    keyId: part.getKeyID().toHex().toUpperCase(),
    createdAt: standing.createdAt,
    expiresAt: Number.isFinite(standing.expiresAtMs) ? new Date(standing.expiresAtMs) : undefined,
    revoked: standing.revoked !== undefined,
    algorithm: publicKeyName(part.keyPacket.algorithm),
  };
}
