/** The way in: what stands behind it is loaded when it is called, so that programs without OpenPGP start unburdened. */
import type { KeyFile } from './key-file.ts';
import type { OpenPgpKeyring } from './keyring.ts';
import type { OpenPgpSigner, SigningKeyOptions } from './signing-key.ts';

/**
 * Read keyrings: binary, ASCII armor with any number of blocks, or GnuPG keybox. Copies of a key are merged, so that a
 * revocation counts whichever file it is in. Damage costs the key in which it is, and is told in `problems`.
 *
 * Owner trust, key servers and the user's own keyring play no part.
 */
export async function openKeyring(sources: readonly KeyFile[]): Promise<OpenPgpKeyring> {
  const keyring = await import('./keyring.ts');
  return keyring.readKeyring(sources);
}

/**
 * Open a secret key, binary or armored, plain or with a passphrase. When a subkey is not named, the newest subkey that
 * may sign does it, else the key itself, as in GnuPG. The `keyId` may be left out when the file holds one key.
 *
 * @throws CodedError OPENPGP_KEY: nothing readable, no such key, no right to sign, expired or revoked, wrong passphrase
 */
export async function openSigningKey(file: KeyFile, options: SigningKeyOptions): Promise<OpenPgpSigner> {
  const signing = await import('./signing-key.ts');
  return signing.readSigningKey(file, options);
}

/**
 * A signer that runs the gpg program once per signature, for keys that only its agent holds. The agent may ask its user
 * for a passphrase, so there is no timeout: `signal` ends it.
 *
 * `sign` throws CodedError NO_GPG, GPG_FAILED with what gpg said, or what the signal was aborted with.
 */
export function gpgProgramSigner(options: {
  readonly keyId: string;
  readonly homedir?: string;
  readonly signal: AbortSignal;
}): OpenPgpSigner {
  return {
    keyId: options.keyId,
    async sign(data) {
      const gpg = await import('./gpg-program.ts');
      return gpg.signByGpg(data, options);
    },
  };
}

/**
 * The content with its signature in one binary message, as `gpg --sign` makes it, without compression. Any signer will
 * do: the message is put together around its detached signature.
 *
 * @throws CodedError OPENPGP_KEY when the signature is of a version that cannot stand in such a message, and what `sign` throws
 */
export async function signMessage(content: Uint8Array, signer: OpenPgpSigner): Promise<Uint8Array> {
  const sealing = await import('./seal-message.ts');
  return sealing.sealMessage(content, signer);
}
