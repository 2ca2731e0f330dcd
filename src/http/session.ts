/** What every kind of request needs of its client. */

import type { Target } from './connection/url.ts';
import type { RetryPolicy } from './exchange/retry.ts';
import type { Sender } from './exchange/send.ts';
import type { ResolvedSettings } from './settings.ts';

export interface Session extends Sender, RetryPolicy {
  readonly settings: ResolvedSettings;
}

export type Headers = Readonly<Record<string, string>>;

/** The headers of every request. What the caller gives comes last and wins, also over credentials in the URL. */
export function requestHeaders({ settings }: Session, { authorization }: Target, given: Headers = {}): Headers {
  const own = {
    'user-agent': settings.userAgent,
    accept: '*/*',
    'accept-encoding': 'identity', // sizes and digests are those of the bytes on the wire
    ...(authorization === undefined ? {} : { authorization }),
  };
  const lower = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { ...own, ...Object.fromEntries(lower) };
}
