/** Options of every command that signs: `commit`, `summary`, `gpg-sign`. */
import { type Command, Option } from 'commander';
import { CodedError } from '../../../base/error.ts';
import { plural } from '../../../base/text.ts';
import { readFileBounded } from '../../../linux/files/read.ts';
import type { CommitSigner, Signed } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import type { Context } from '../../program.ts';
import { repeatable } from '../../repeatable.ts';

export interface GpgValues {
  readonly gpgHomedir?: string;
  readonly gpgKeyFile?: string;
  readonly passphraseFile?: string;
}

export interface SigningValues extends GpgValues {
  readonly gpgSign?: readonly string[];
  readonly sign?: readonly string[];
  readonly signFromFile?: readonly string[];
  readonly signType?: string;
}

/** A key file holds some keys, a passphrase file one line. */
const KEY_FILE_LIMIT = 2 ** 20;
const PASSPHRASE_LIMIT = 64 * 1024;

export function gpgOptions(command: Command): Command {
  return command
    .option('--gpg-homedir <directory>', 'home of GnuPG with the secret keys (default: that of the user)')
    .option('--gpg-key-file <file>', 'secret OpenPGP key, binary or armored; then no gpg is needed')
    .option('--passphrase-file <file>', 'the first line opens the key of --gpg-key-file');
}

export function signingOptions(command: Command): Command {
  command.addOption(repeatable('--gpg-sign <key-id>', 'sign with this OpenPGP key'));
  return gpgOptions(command)
    .addOption(repeatable('--sign <key>', 'sign with this ed25519 secret key (other users can see it)'))
    .addOption(repeatable('--sign-from-file <file>', 'sign with the ed25519 secret keys in this file, one a line'))
    .addOption(new Option('--sign-type <type>', 'kind of the keys of --sign').choices(['ed25519']));
}

/** @throws UsageError, CodedError OPENPGP_KEY, SECRET_KEY_MALFORMED */
export async function readSigners(values: SigningValues, context: Context): Promise<readonly CommitSigner[]> {
  const isGpg = values.gpgSign !== undefined || values.gpgKeyFile !== undefined;
  if (!isGpg && values.passphraseFile !== undefined) throw new UsageError('--passphrase-file needs --gpg-key-file');
  if (!isGpg && values.gpgHomedir !== undefined) throw new UsageError('--gpg-homedir needs --gpg-sign');
  return [
    ...(isGpg ? await gpgSigners(values.gpgSign ?? [], values, context) : []),
    ...(await ed25519Signers({ keys: values.sign ?? [], files: values.signFromFile ?? [] }, context)),
  ];
}

/** One signer for each key id; with a key file the ids may be left out. */
export async function gpgSigners(
  keyIds: readonly string[],
  { gpgHomedir, gpgKeyFile, passphraseFile }: GpgValues,
  { signal }: Context,
): Promise<readonly CommitSigner[]> {
  const { gpgFileSigner, gpgSigner } = await import('../../../ostree/index.ts');
  if (gpgKeyFile === undefined) {
    if (passphraseFile !== undefined) throw new UsageError('--passphrase-file needs --gpg-key-file');
    const home = gpgHomedir === undefined ? {} : { homedir: gpgHomedir };
    return keyIds.map((keyId) => gpgSigner({ keyId, signal, ...home }));
  }
  if (gpgHomedir !== undefined) throw new UsageError('--gpg-key-file and --gpg-homedir exclude each other');
  const file = { name: gpgKeyFile, bytes: readFileBounded(gpgKeyFile, KEY_FILE_LIMIT).bytes };
  const opened = passphraseFile === undefined ? {} : { passphrase: firstLine(passphraseFile) };
  if (keyIds.length === 0) return [await gpgFileSigner(file, opened)];
  const signers: CommitSigner[] = [];
  for (const keyId of keyIds) signers.push(await gpgFileSigner(file, { keyId, ...opened }));
  return signers;
}

/** @param keys secret keys from the command line */
export async function ed25519Signers(
  { keys, files }: { readonly keys: readonly string[]; readonly files: readonly string[] },
  { output }: Context,
): Promise<readonly CommitSigner[]> {
  if (keys.length === 0 && files.length === 0) return [];
  const { ed25519Signer, parseSecretKey, parseSecretKeys } = await import('../../../ostree/index.ts');
  if (keys.length > 0) {
    output.warning('other users can see a secret key on the command line: a file is safer');
  }
  const secrets = [
    ...keys.map((text, i) => parseSecretKey(text, `secret key ${i + 1}`)),
    ...files.flatMap((path) => parseSecretKeys(readText(path, KEY_FILE_LIMIT), path)),
  ];
  return secrets.map(ed25519Signer);
}

export function describeSigned({ added }: Signed, dryRun: boolean): string {
  if (added === 0) return 'is signed by this already';
  return `${plural(added, 'signature')} ${dryRun ? 'would be added' : 'added'}`;
}

function firstLine(path: string): string {
  const line = readText(path, PASSPHRASE_LIMIT).split('\n')[0] ?? '';
  if (line === '') throw new CodedError('OPENPGP_KEY', `${path}: no passphrase in its first line`, { subject: path });
  return line;
}

function readText(path: string, limit: number): string {
  const { bytes } = readFileBounded(path, limit);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
