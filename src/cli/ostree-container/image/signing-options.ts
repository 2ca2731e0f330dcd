/** Keys to sign images with. */
import type { Command } from 'commander';
import { readFileBounded } from '../../../linux/files/read.ts';
import { type NamedReference, parseNamed } from '../../../oci/index.ts';
import type { OpenPgpSigner, SigstorePrivateKey } from '../../../trust/index.ts';
import { UsageError } from '../../arguments.ts';
import { readSecretLine } from '../../images/settings.ts';

export interface SigningValues {
  readonly signBy?: string;
  readonly gpgHomedir?: string;
  readonly gpgKeyFile?: string;
  readonly signBySigstorePrivateKey?: string;
  readonly signPassphraseFile?: string;
  readonly signIdentity?: string;
}

export interface Signers {
  readonly gpg: OpenPgpSigner | undefined;
  readonly sigstore: SigstorePrivateKey | undefined;
}

const KEY_FILE_LIMIT = 2 ** 20;

export function signingOptions(command: Command): Command {
  return command
    .option('--sign-by <key-id>', 'sign with this OpenPGP key (simple signing)')
    .option('--gpg-homedir <directory>', 'home of GnuPG with the secret key (default: that of the user)')
    .option('--gpg-key-file <file>', 'secret OpenPGP key, binary or armored; then no gpg is needed')
    .option('--sign-by-sigstore-private-key <file>', 'sign with this key of cosign')
    .option('--sign-passphrase-file <file>', 'the first line opens the key file (default: $COSIGN_PASSWORD)')
    .option('--sign-identity <reference>', 'sign as this name (default: the name in the registry)');
}

/** Opened before anything else is done. @throws UsageError; CodedError OPENPGP_KEY, SIGSTORE_KEY, SIGSTORE_PASSPHRASE */
export async function readSigners(values: SigningValues, signal: AbortSignal): Promise<Signers> {
  const { signBy, gpgKeyFile, signBySigstorePrivateKey: keyFile, signPassphraseFile: file, signIdentity } = values;
  const isGpg = signBy !== undefined || gpgKeyFile !== undefined;
  if (!isGpg && values.gpgHomedir !== undefined) throw new UsageError('--gpg-homedir needs --sign-by');
  if (!isGpg && keyFile === undefined && (file ?? signIdentity) !== undefined) {
    throw new UsageError('--sign-passphrase-file and --sign-identity need a key to sign with');
  }
  const passphrase = file === undefined ? undefined : readSecretLine(file);
  return {
    gpg: isGpg ? await gpgSigner(values, passphrase, signal) : undefined,
    sigstore: keyFile === undefined ? undefined : await sigstoreKey(keyFile, passphrase),
  };
}

async function gpgSigner(
  { signBy, gpgHomedir, gpgKeyFile }: SigningValues,
  passphrase: string | undefined,
  signal: AbortSignal,
): Promise<OpenPgpSigner> {
  const { gpgProgramSigner, openSigningKey } = await import('../../../trust/index.ts');
  if (gpgKeyFile !== undefined) {
    if (gpgHomedir !== undefined) throw new UsageError('--gpg-key-file and --gpg-homedir exclude each other');
    const file = { name: gpgKeyFile, bytes: readFileBounded(gpgKeyFile, KEY_FILE_LIMIT).bytes };
    return openSigningKey(file, {
      ...(signBy !== undefined && { keyId: signBy }),
      ...(passphrase !== undefined && { passphrase }),
    });
  }
  return gpgProgramSigner({
    keyId: signBy ?? '',
    signal,
    ...(gpgHomedir !== undefined && { homedir: gpgHomedir }),
  });
}

async function sigstoreKey(path: string, passphrase: string | undefined): Promise<SigstorePrivateKey> {
  const { openSigstorePrivateKey } = await import('../../../trust/index.ts');
  const secret = passphrase ?? process.env['COSIGN_PASSWORD'];
  const { bytes } = readFileBounded(path, KEY_FILE_LIMIT);
  return openSigstorePrivateKey(bytes, secret === undefined ? undefined : Buffer.from(secret), path);
}

/** As what an image is signed: what was said, else its name in the registry. @throws UsageError when there is none */
export function signedIdentity(
  { signIdentity }: SigningValues,
  place: { readonly identity: NamedReference | undefined },
): NamedReference {
  const identity = signIdentity === undefined ? place.identity : parseNamed(signIdentity);
  if (identity === undefined) {
    throw new UsageError('--sign-identity is needed: only images in registries have a name of their own');
  }
  if (identity.tag !== undefined || identity.digest !== undefined) return identity;
  throw new UsageError('--sign-identity: expected a name with a tag, as registry.example.com/os:stable');
}
