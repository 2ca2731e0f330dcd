/** URLs on the way in (credentials taken out) and on the way out to people (nothing secret left). */
import { printable } from '../../base/text.ts';
import { HttpError } from '../error.ts';

/** A URL without credentials and fragment, and the credentials as the value of an `authorization` header. */
export interface Target {
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** @throws HttpError HTTP_BAD_URL for what is not an http or https URL */
export function parseTarget(text: URL | string): Target {
  const url = parse(text);
  if (url === undefined) {
    throw new HttpError('HTTP_BAD_URL', 'not a URL: expected http://HOST/PATH or https://HOST/PATH');
  }
  if (!isHttp(url)) throw new HttpError('HTTP_BAD_URL', `${showUrl(url)}: not http or https`);
  const authorization = basicAuthorization(url);
  return { url: stripped(url), authorization };
}

/** Parsed once: asking whether it can be parsed costs as much again, and a pull has tens of thousands of URLs. */
function parse(text: URL | string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined; // the only thing that the constructor throws for is text that is not a URL
  }
}

export function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

/** `user:password@` of a URL as basic authentication; undefined where there is none. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const pair = Buffer.concat([percentDecode(url.username), Buffer.from(':'), percentDecode(url.password)]);
  return `Basic ${pair.toString('base64')}`;
}

/** The URL without credentials and fragment; the same one when it has none, for each setter parses all of it again. */
export function stripped(url: URL): URL {
  if (url.username === '' && url.password === '' && url.hash === '') return url;
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  return copy;
}

/** For messages: without credentials, and without query parameters, which may hold signatures and tokens. */
export function showUrl(url: URL): string {
  return printable(`${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`);
}

/** By bytes, because a password need not be UTF-8; a `%` that begins no escape stands for itself. */
function percentDecode(text: string): Buffer {
  const latin1 = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1'); // URL leaves nothing outside ASCII unescaped
}
