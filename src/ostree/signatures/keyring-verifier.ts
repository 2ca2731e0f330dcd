/** OpenPGP keyrings that are named on a command line, as what a commit must be signed with. */
import type { KeyFile } from '../../trust/index.ts';
import { gpgKeys } from './gpg-keys.ts';
import { type Verifier, verifierOf } from './verifier.ts';

/** One good signature by a key of these files. */
export function keyringVerifier(keyrings: readonly KeyFile[]): Verifier {
  const advice = { addKeys: 'name a keyring that has the key', unsigned: 'ask the publisher to sign it' };
  return verifierOf([{ setting: 'the given keyring', anyOf: [gpgKeys(keyrings)], advice }]);
}
