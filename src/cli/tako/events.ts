/** What an administrator finds in the journal by `MESSAGE_ID`, whatever the texts say: docs/journal.md. */
import { CodedError, codeOf, explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { sendToJournal } from '../../systemd/index.ts';
import type { Result } from '../../tako/index.ts';
import { EXIT, statusOf } from '../exit-status.ts';
import type { Context } from '../program.ts';

/** Fixed for ever. */
export const MESSAGE_ID = {
  /** Another image was linked. */
  updated: '7b4ca951341345ac9ba18adb780e519e',
  /** Signature, digest, size, rollback or an unsafe owner: nothing was taken. */
  refused: 'fa763b9940a84af689bd7b99c5687c35',
  /** A new image did not stay healthy; the earlier one is linked again, if there is one. */
  unhealthy: '18121be75514473186542a0c88effec4',
  /** An administrator went back to an earlier image. */
  rolledBack: '338a4639c13a472f81e746350a96d65a',
} as const;

export async function logUpdate(path: string, result: Result, context: Context): Promise<void> {
  if (result.outcome !== 'updated' || result.entry === undefined) return;
  const version = printable(result.entry.version.text);
  const before = result.previous && printable(result.previous.version.text);
  const text = before === undefined ? `installed ${version}` : `updated to ${version} from ${before}`;
  await log(MESSAGE_ID.updated, 5, `${path}: ${text}`, path, context, {
    TAKO_VERSION: version,
    ...(before === undefined ? {} : { TAKO_PREVIOUS_VERSION: before }),
    TAKO_DIGEST: `sha256:${result.entry.sha256}`,
  });
}

export async function logRollback(path: string, from: string, to: string, context: Context): Promise<void> {
  const text = `${path}: rolled back from ${printable(from)} to ${printable(to)}`;
  await log(MESSAGE_ID.rolledBack, 5, text, path, context, {
    TAKO_VERSION: printable(to),
    TAKO_PREVIOUS_VERSION: printable(from),
  });
}

/** @returns true when the journal has it: under systemd, standard error need not say it again */
export async function logFailure(path: string, error: unknown, context: Context): Promise<boolean> {
  const code = codeOf(error) ?? 'UNEXPECTED';
  const id =
    code === 'HEALTH_FAILED' ? MESSAGE_ID.unhealthy : statusOf(error) === EXIT.refused ? MESSAGE_ID.refused : undefined;
  if (id === undefined) return false;
  const text = explain(error);
  const advice = error instanceof CodedError && error.hint !== undefined ? `\n${error.hint}` : '';
  return log(id, 3, `${text.startsWith(path) ? '' : `${path}: `}${text}${advice}`, path, context, { TAKO_CODE: code });
}

async function log(
  id: string,
  priority: number,
  message: string,
  path: string,
  { output, signal }: Context,
  fields: Readonly<Record<string, string>>,
): Promise<boolean> {
  const sent = await sendToJournal(
    {
      MESSAGE: message,
      MESSAGE_ID: id,
      PRIORITY: String(priority),
      SYSLOG_IDENTIFIER: output.program,
      TAKO_CONFIG: path,
      ...fields,
    },
    signal,
  );
  return sent && output.underSystemd;
}
