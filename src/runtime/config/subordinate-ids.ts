/** Ranges of ids that an ordinary user may map into containers. Source: subuid(5), newuidmap(1). */

import { decodeDecimal, decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import { findProgram } from '../../linux/processes/find-program.ts';

export interface IdRange {
  readonly first: number;
  readonly count: number;
}

export interface SubordinateIds {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** `newuidmap` and `newgidmap` are in PATH: without them only one id can be mapped. */
  readonly hasNewuidmap: boolean;
}

/** Sites with a line for each of their users keep them elsewhere. */
const SIZE_LIMIT = 4 * 2 ** 20;

/** What /etc/subuid and /etc/subgid give to a user, by name or by number. */
export function readSubordinateIds(
  user: { readonly name: string; readonly uid: number },
  etc = '/etc',
  path = process.env['PATH'],
): SubordinateIds {
  const ranges = (file: string): IdRange[] => parseRanges(readIfThere(`${etc}/${file}`), user);
  const has = (program: string): boolean => findProgram(program, path) !== undefined;
  return { uids: ranges('subuid'), gids: ranges('subgid'), hasNewuidmap: has('newuidmap') && has('newgidmap') };
}

function readIfThere(file: string): string {
  try {
    return decodeUtf8(readFileBounded(file, SIZE_LIMIT).bytes) ?? '';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** `NAME-OR-UID:FIRST:COUNT`; lines of another form belong to nobody, as for newuidmap. */
function parseRanges(text: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner = '', first = '', count = '', extra] = line.split(':');
    const range = { first: decodeDecimal(first) ?? 0, count: decodeDecimal(count) ?? 0 };
    const isOurs = (owner === user.name && owner !== '') || owner === String(user.uid);
    return isOurs && extra === undefined && range.first > 0 && range.count > 0 ? [range] : [];
  });
}
