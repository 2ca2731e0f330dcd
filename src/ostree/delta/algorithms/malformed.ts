import { CodedError } from '../../../base/error.ts';

/** The one error of this folder: what a part of a static delta says cannot be carried out. */
export function malformed(message: string): CodedError<'DELTA_MALFORMED'> {
  return new CodedError('DELTA_MALFORMED', `delta ${message}`);
}
