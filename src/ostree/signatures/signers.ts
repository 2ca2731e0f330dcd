/** Whoever signs commits and summaries. */
import { decodeBase64 } from '../../base/decode.ts';
import { CodedError } from '../../base/error.ts';
import {
  type Ed25519SecretKey,
  gpgProgramSigner,
  type KeyFile,
  openSecretKeyPair,
  openSigningKey,
} from '../../trust/index.ts';
import type { ED25519_SIGNATURES, GPG_SIGNATURES } from '../objects/detached.ts';

export type SignatureKey = typeof GPG_SIGNATURES | typeof ED25519_SIGNATURES;

export interface CommitSigner {
  /** Where its signatures stand in the metadata. */
  readonly key: SignatureKey;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** With a secret key from a file; no gpg is needed. @throws CodedError OPENPGP_KEY */
export async function gpgFileSigner(
  file: KeyFile,
  options: { readonly keyId?: string; readonly passphrase?: string },
): Promise<CommitSigner> {
  const signer = await openSigningKey(file, options);
  return { key: 'ostree.gpgsigs', sign: (data) => signer.sign(data) };
}

/** By the gpg program, for keys that only its agent holds. `sign` throws CodedError NO_GPG, GPG_FAILED */
export function gpgSigner(options: {
  readonly keyId: string;
  readonly homedir?: string;
  readonly signal: AbortSignal;
}): CommitSigner {
  const signer = gpgProgramSigner(options);
  return { key: 'ostree.gpgsigs', sign: (data) => signer.sign(data) };
}

export function ed25519Signer(key: Ed25519SecretKey): CommitSigner {
  return { key: 'ostree.sign.ed25519', sign: async (data) => key.sign(data) };
}

/**
 * Secret keys as libostree keeps them: base64 of 64 bytes, one a line; blank lines do not count.
 * @param name where they are from, for errors: they never show the text
 * @throws CodedError SECRET_KEY_MALFORMED
 */
export function parseSecretKeys(text: string, name: string): readonly Ed25519SecretKey[] {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.flatMap((line, i) => (line === '' ? [] : [parseSecretKey(line, `${name} line ${i + 1}`)]));
  if (keys.length === 0)
    throw new CodedError('SECRET_KEY_MALFORMED', `${name}: no secret key in it`, { subject: name });
  return keys;
}

/** @throws CodedError SECRET_KEY_MALFORMED */
export function parseSecretKey(text: string, where: string): Ed25519SecretKey {
  const pair = decodeBase64(text);
  if (pair === undefined) {
    throw new CodedError(
      'SECRET_KEY_MALFORMED',
      `${where}: expected an ed25519 secret key in base64, found something else`,
      {
        subject: where,
      },
    );
  }
  try {
    return openSecretKeyPair(pair);
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    const hint =
      pair.length === 32
        ? 'the secret half is the seed and then the public key, 64 bytes together in base64'
        : undefined;
    throw new CodedError('SECRET_KEY_MALFORMED', where, { cause, hint, subject: where });
  }
}
