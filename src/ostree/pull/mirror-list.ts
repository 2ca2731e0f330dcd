/** `url=` of a remote: an address, or `mirrorlist=` and the address of a list of them. */
import { type HttpClient, HttpError } from '../../http/index.ts';
import { OstreeError } from '../error.ts';
import { type HeadersFor, Origin } from './origin.ts';

/** Of a list, and of the `config` that a mirror must answer. */
const CONFIG_LIMIT = 2 ** 20;
/** Each may keep us for the time that a connection may take. */
const MOST_MIRRORS = 64;

/**
 * The addresses of a remote's `url`: itself, or the lines of a `mirrorlist=`, of which the first must answer. Lines
 * with other than http addresses are for other clients.
 * @throws OstreeError REMOTE_UNSUITABLE; HttpError
 */
export async function resolveUrls(
  client: HttpClient,
  url: string,
  headers: HeadersFor,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const list = /^mirrorlist=(.*)$/s.exec(url)?.[1];
  if (list === undefined) return [assertHttp(url)];
  const found = await client.getDocument(assertHttp(list), { limit: CONFIG_LIMIT, headers: headers(list), signal });
  const text = found.kind === 'document' ? Buffer.from(found.bytes).toString('utf8') : '';
  const lines = text.split('\n').map((line) => line.trim());
  const mirrors = lines.filter((line) => isHttp(line)).slice(0, MOST_MIRRORS);
  while (mirrors.length > 0) {
    if (await answers(client, mirrors, headers, signal)) return mirrors;
    mirrors.shift();
  }
  throw new OstreeError('REMOTE_UNSUITABLE', 'no mirror of the list has a repository', { subject: list });
}

async function answers(
  client: HttpClient,
  mirrors: readonly string[],
  headers: HeadersFor,
  signal: AbortSignal,
): Promise<boolean> {
  const [url = ''] = mirrors;
  const origin = new Origin({ client, urls: [url], contentUrls: [], headers, signal });
  try {
    return (await origin.small('metadata', 'config', CONFIG_LIMIT, signal)) !== undefined;
  } catch (error) {
    if (error instanceof HttpError && mirrors.length > 1) return false; // the next one is asked
    throw error;
  }
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function assertHttp(url: string): string {
  if (isHttp(url)) return url;
  throw new OstreeError('REMOTE_UNSUITABLE', 'the address of the remote is neither http nor https', {
    hint: 'change url= of the remote, or use "pull-local" for a directory',
  });
}
