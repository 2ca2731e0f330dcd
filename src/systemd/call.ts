/** Programs of systemd, called by name through PATH and without a shell. */
import { CodedError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type RunOptions, type RunResult, runProgram } from '../linux/processes/spawn.ts';

/** What its answer was, on one line and safe to print. */
export function whyFailed({ stderr, status, timedOut }: RunResult, timeoutMs: number): string {
  if (timedOut) return `no answer within ${timeoutMs / 1000} s`;
  const said = printable(stderr.trim().replace(/\n/g, '; ').replace(/\s+/g, ' '));
  return said || `status ${status}`;
}

export interface Call {
  readonly program: 'systemctl' | 'systemd-tmpfiles';
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly code: string;
  readonly hint: string;
  readonly subject: string;
}

/** @throws CodedError with that code unless the program ends with status 0; PROGRAM_MISSING */
export async function callOrThrow(call: Call, options: RunOptions): Promise<void> {
  const result = await runProgram(call.program, call.args, { ...options, timeoutMs: call.timeoutMs });
  if (result.status === 0) return;
  const why = whyFailed(result, call.timeoutMs);
  throw new CodedError(call.code, `${call.program} ${call.args.join(' ')}: ${why}`, {
    hint: call.hint,
    subject: call.subject,
  });
}
