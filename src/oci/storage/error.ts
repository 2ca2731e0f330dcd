import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type StorageErrorCode =
  | 'BAD_STORAGE_CONF'
  | 'BAD_STORAGE_NAME'
  | 'STORAGE_MALFORMED'
  | 'STORAGE_MISSING'
  | 'STORAGE_UNSUPPORTED';

export class StorageError extends CodedError<StorageErrorCode> {}

/** What is in the storage is not what the storage itself says of it. */
export function damaged(path: string, why: string, cause?: unknown): StorageError {
  return new StorageError('STORAGE_MALFORMED', `${printable(path)}: ${why}`, { cause, subject: path });
}
