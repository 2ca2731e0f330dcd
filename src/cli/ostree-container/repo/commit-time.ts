/** The time of a commit, in seconds since the epoch. */
import { decodeDecimal } from '../../../base/decode.ts';
import { quote } from '../../../base/text.ts';
import { UsageError } from '../../arguments.ts';
import { parseDate } from './moment.ts';

/** What was asked for, else `SOURCE_DATE_EPOCH` (reproducible-builds.org), else now. @throws UsageError */
export function commitTime(text: string | undefined, env: NodeJS.ProcessEnv, nowMs = Date.now()): number {
  if (text !== undefined) return parseTime(text);
  const epoch = env['SOURCE_DATE_EPOCH'];
  if (epoch === undefined) return Math.floor(nowMs / 1000);
  const seconds = decodeDecimal(epoch);
  if (seconds === undefined) throw new UsageError(`SOURCE_DATE_EPOCH: expected seconds, found ${quote(epoch)}`);
  return seconds;
}

function parseTime(text: string): number {
  const seconds = text.startsWith('@') ? decodeDecimal(text.slice(1)) : parseDate(text);
  if (seconds !== undefined && seconds >= 0) return seconds;
  throw new UsageError(
    `--timestamp: expected a time since 1970, found ${quote(text)}`,
    'such as 2026-01-31T12:00:00Z, 2026-01-31 or @1700000000',
  );
}
