import { CodedError } from '../base/error.ts';
import { quote } from '../base/text.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type TarErrorCode =
  | 'TAR_LIMIT'
  | 'TAR_MALFORMED'
  | 'TAR_NAME'
  | 'TAR_PATH'
  | 'TAR_SIZE'
  | 'TAR_TRUNCATED'
  | 'TAR_UNSUPPORTED';

export class TarError extends CodedError<TarErrorCode> {}

/** Something in an archive is not as the format says; `where` is an entry or a field. */
export function malformed(where: string, expected: string, found?: string | number): TarError {
  return new TarError('TAR_MALFORMED', `tar ${where}: expected ${expected}${tail(found)}`);
}

export function overLimit(where: string, limit: number, unit: string): TarError {
  return new TarError('TAR_LIMIT', `tar ${where}: more than the limit of ${limit} ${unit}`);
}

export function truncated(where: string): TarError {
  return new TarError('TAR_TRUNCATED', `tar ${where}: the archive ends inside of it`);
}

function tail(found: string | number | undefined): string {
  if (found === undefined) return '';
  return `, found ${typeof found === 'number' ? found : quote(found)}`;
}
