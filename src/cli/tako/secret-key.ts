/** Where a secret key comes from: `--key`, else `--key-file`, else the environment. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { CodedError } from '../../base/error.ts';
import { parseSecretKey, SECRET_KEY_CHARACTERS, type SecretKey } from '../../tako/index.ts';
import { UsageError } from '../arguments.ts';

export interface KeyValues {
  readonly key?: string;
  readonly keyFile?: string;
}

export function readSecretKey({ key, keyFile }: KeyValues, env: NodeJS.ProcessEnv): SecretKey {
  if (key !== undefined) return parseSecretKey(key.trim());
  if (keyFile !== undefined) return parseSecretKey(readHead(keyFile));
  const fromEnvironment = env['TAKO_SECRET_KEY'];
  if (fromEnvironment !== undefined) return parseSecretKey(fromEnvironment.trim());
  throw new UsageError('no secret key: give --key-file, --key or the environment variable TAKO_SECRET_KEY');
}

/** Only so many bytes of the file count, so a final newline or a comment after the key does no harm. */
function readHead(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(SECRET_KEY_CHARACTERS);
      let length = 0;
      for (let n = 1; n > 0 && length < head.length; length += n)
        n = readSync(fd, head, length, head.length - length, null);
      return head.toString('latin1', 0, length);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new CodedError('KEY_UNREADABLE', `key file ${path}: cannot be read`, { cause, subject: path });
  }
}

/** A file that is handed in by name, whole. */
export function readSmallFile(path: string, limit: number): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    // Only of regular files does the size end; those in /proc say 0 and are small.
    if (!fstatSync(fd).isFile()) throw new Error('not a regular file');
    const bytes = fstatSync(fd).size <= limit ? readFileSync(fd) : undefined;
    if (bytes !== undefined && bytes.length <= limit) return bytes;
  } catch (cause) {
    throw new CodedError('FILE_UNREADABLE', `${path}: cannot be read`, { cause, subject: path });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  throw new CodedError('TOO_LARGE', `${path}: larger than the limit of ${limit} bytes`, { subject: path });
}
