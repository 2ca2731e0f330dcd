/** Who else could change what we are about to trust. */
import type { Stats } from 'node:fs';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

export interface Judged {
  readonly path: string;
  /** It holds a secret: who may read it counts as well. */
  readonly readableMatters?: boolean;
}

export interface OwnerVerdict {
  readonly problem: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** The effective user: the one that the kernel checks. */
export function callerId(): number {
  const id = process.geteuid?.();
  if (id === undefined) throw new Error('unreachable: every Linux process has a user');
  return id;
}

/**
 * Undefined when a directory or file is safe: its owner is root or the caller, others may not write it, and for root
 * as the caller neither may a group. Where reading matters others may not read it, and for root no group but root's.
 */
export function judgeOwner(
  stats: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  { path, readableMatters = false }: Judged,
  caller = callerId(),
): OwnerVerdict | undefined {
  const { uid, gid, mode } = stats;
  const problems: string[] = [];
  const chmod: string[] = [];
  const isOwnerWrong = uid !== 0 && uid !== caller;
  if (isOwnerWrong) problems.push(`owned by user ${uid}`);
  const groupLoses =
    (caller === 0 && mode & 0o020 ? 'w' : '') +
    (readableMatters && caller === 0 && mode & 0o040 && gid !== 0 ? 'r' : '');
  const othersLose = (mode & 0o002 ? 'w' : '') + (readableMatters && mode & 0o004 ? 'r' : '');
  if (groupLoses !== '') problems.push(`${able(groupLoses)} by group ${gid}`);
  if (othersLose !== '') problems.push(`${able(othersLose)} by everybody`);
  if (groupLoses !== '') chmod.push(`g-${groupLoses}`);
  if (othersLose !== '') chmod.push(`o-${othersLose}`);
  if (problems.length === 0) return undefined;

  const file = shellQuote(path);
  const commands = [
    ...(isOwnerWrong ? [`chown ${caller === 0 ? 'root' : caller} ${file}`] : []),
    ...(chmod.length > 0 ? [`chmod ${chmod.join(',')} ${file}`] : []),
  ];
  return { problem: problems.join(', '), mend: commands.join(' && ') };
}

/** @throws CodedError UNSAFE_OWNER, the hint being the command that mends it */
export function assertSafeOwner(stats: Pick<Stats, 'uid' | 'gid' | 'mode'>, what: Judged, caller = callerId()): void {
  const verdict = judgeOwner(stats, what, caller);
  if (verdict === undefined) return;
  throw new CodedError('UNSAFE_OWNER', `${printable(what.path)}: ${verdict.problem}`, {
    hint: verdict.mend,
    subject: what.path,
  });
}

function able(letters: string): string {
  return [...letters].map((letter) => (letter === 'w' ? 'writable' : 'readable')).join(' and ');
}

/** One word of a shell command line. A name that begins with `-` is no option; controls are written in octal. */
export function shellQuote(word: string): string {
  const safe = word.startsWith('-') ? `./${word}` : word;
  if (/^[A-Za-z0-9_./:@%+,=-]+$/.test(safe)) return safe;
  if (!/\p{Cc}/u.test(safe)) return `'${safe.replaceAll("'", `'\\''`)}'`;
  const octal = (c: string) => [...Buffer.from(c)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  return `$'${safe.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, octal)}'`;
}
