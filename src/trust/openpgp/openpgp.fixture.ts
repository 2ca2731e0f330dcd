/** Keys made by the library, for tests that must not depend on gpg or on the clock. */
import * as openpgp from 'openpgp';

/** When they were made. */
export const MADE = new Date('2026-01-01T00:00:00Z');

export interface Pair {
  readonly secret: openpgp.PrivateKey;
  readonly bytes: Uint8Array;
}

export async function makePair(name: string, subkeys: openpgp.SubkeyOptions[] = []): Promise<Pair> {
  const made = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: { name },
    subkeys,
    date: MADE,
    format: 'object',
  });
  return { secret: made.privateKey, bytes: made.publicKey.write() };
}
