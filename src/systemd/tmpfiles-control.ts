/** `systemd-tmpfiles`, called by name through PATH. */
import { callOrThrow } from './call.ts';
import type { ControlOptions, TmpfilesControl } from './service-control.ts';

const TIMEOUT_MS = 5 * 60_000;

/**
 * A root that is not booted makes its directories when it is: there nothing is run.
 * Calls throw CodedError TMPFILES_FAILED (also when only some lines could not be done), PROGRAM_MISSING.
 */
export function tmpfilesControl({ user, offlineRoot }: ControlOptions): TmpfilesControl {
  const words = (given: readonly string[]): string[] => [...(user ? ['--user'] : []), ...given];
  const call = async (verb: string, fragment: string, signal: AbortSignal): Promise<void> => {
    if (offlineRoot !== undefined) return;
    const call = { program: 'systemd-tmpfiles', code: 'TMPFILES_FAILED', timeoutMs: TIMEOUT_MS } as const;
    const hint = `look at the lines of ${fragment}`;
    await callOrThrow({ ...call, args: words([verb, fragment]), hint, subject: fragment }, { signal });
  };
  return {
    line: (...given) => (offlineRoot === undefined ? ['systemd-tmpfiles', ...words(given)].join(' ') : ''),
    create: (fragment, signal) => call('--create', fragment, signal),
    remove: (fragment, signal) => call('--remove', fragment, signal),
  };
}
