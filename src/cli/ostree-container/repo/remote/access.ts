/** How a remote is reached: the options of the network, and what is told meanwhile. */
import type { FromRemote } from '../../../../ostree/index.ts';
import { UsageError } from '../../../arguments.ts';
import { httpSettings, type LockValues, repoLockWait, type TransferValues } from '../../../shared-options.ts';
import { packageVersion } from '../../../version.ts';
import type { Opened } from '../with-repository.ts';

export interface AccessValues extends TransferValues, LockValues {
  readonly url?: string;
  readonly httpHeader?: readonly string[];
  readonly networkRetries?: number;
  readonly appendUserAgent?: string;
  readonly untrusted?: true;
}

export function accessOf(values: AccessValues, opened: Opened): FromRemote {
  const { output, progress, repository, signal } = opened;
  const agent = values.appendUserAgent;
  if (agent !== undefined && !/^[ -~]+$/.test(agent)) throw new UsageError('--append-user-agent: only printable ASCII');
  const userAgent = `tako/${packageVersion()}${agent === undefined ? '' : ` ${agent}`}`;
  const settings = httpSettings(values, userAgent, (text) => output.info(text));
  return {
    url: values.url,
    headers: readHeaders(values.httpHeader ?? []),
    http: { ...settings, retries: values.networkRetries ?? values.retry },
    untrusted: values.untrusted === true,
    progress: progress.emit,
    ...repoLockWait(values, opened, repository),
    signal,
  };
}

/** What stands there may be a secret: it is not repeated. */
function readHeaders(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text): [string, string] => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([\t -~]*)$/.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new UsageError('--http-header: expected NAME=VALUE');
      return [name.toLowerCase(), value];
    }),
  );
}
