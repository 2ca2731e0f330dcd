/** Public keys for the superblock of a delta. */
import { type Command, Option } from 'commander';
import { readFileBounded } from '../../../../linux/files/read.ts';
import type { Opened } from '../with-repository.ts';

export interface KeyValues {
  readonly signType?: 'ed25519' | 'spki';
  readonly keysFile?: string;
  readonly keysDir?: string;
}

/** Thousands of keys. */
const KEYS_LIMIT = 2 ** 20;

export function keyOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--sign-type <type>', 'kind of the signatures (default: ed25519)').choices(['ed25519', 'spki']),
    )
    .option('--keys-file <file>', 'public keys, one a line')
    .option('--keys-dir <directory>', 'lists of keys, instead of those in /etc/ostree and /usr/share/ostree');
}

/** Did the user say anything about keys? */
export function namesKeys({ signType, keysFile, keysDir }: KeyValues, texts: readonly string[]): boolean {
  return texts.length > 0 || [signType, keysFile, keysDir].some((value) => value !== undefined);
}

/** @param texts keys in base64. @throws OstreeError CONFIG_MALFORMED */
export function verifierFor(
  { signType = 'ed25519', keysFile, keysDir }: KeyValues,
  texts: readonly string[],
  { ostree }: Opened,
) {
  const files = keysFile === undefined ? [] : [{ name: keysFile, bytes: readFileBounded(keysFile, KEYS_LIMIT).bytes }];
  return ostree.deltaVerifier(ostree.givenKeys(signType, { texts, files, folder: keysDir }));
}
