/** Where a redirect leads, if it may be followed at all. */

import { isHttp, showUrl, stripped } from '../connection/url.ts';
import { HttpError } from '../error.ts';
import type { Head, Outgoing } from './exchange.ts';

export const MAX_REDIRECTS = 10;
/** What may be told to any server. Everything else that a caller adds may be a token, whatever its name. */
const PUBLIC = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'content-range',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'range',
  'user-agent',
]);

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The request that a redirect asks for. What may be secret is dropped for good as soon as scheme, host or port differ. */
export function followRedirect(outgoing: Outgoing, { status, headers }: Head): Outgoing {
  const url = resolveLocation(headers.get('location'), outgoing.url);
  const kept = url.origin === outgoing.url.origin ? outgoing.headers : publicOnly(outgoing.headers);
  if (outgoing.method === 'GET' || outgoing.method === 'HEAD' || status === 307 || status === 308) {
    return { ...outgoing, url, headers: kept };
  }
  // Browsers turn a POST into a GET at 301 and 302; for an upload that would look like success.
  throw refused(outgoing.url, `${outgoing.method} is answered by a redirect with status ${status}`);
}

function resolveLocation(location: string | undefined, base: URL): URL {
  if (location === undefined || !URL.canParse(location, base.href))
    throw refused(base, 'redirect without a valid Location');
  const url = new URL(location, base);
  if (!isHttp(url)) throw refused(base, `redirect to a ${url.protocol} URL`);
  if (base.protocol === 'https:' && url.protocol === 'http:')
    throw refused(base, `redirect from https to ${showUrl(url)}`);
  return stripped(url); // credentials in a Location are the server's idea, not ours
}

export function refused(url: URL, why: string): HttpError {
  const subject = showUrl(url);
  return new HttpError('HTTP_REDIRECT', `${subject}: ${why}`, { subject });
}

function publicOnly(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => PUBLIC.has(name.toLowerCase())));
}
