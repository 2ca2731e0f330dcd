import type { Head } from '../exchange/exchange.ts';

/** An entity tag that can be sent back: anything odd in it (or in a state file) must not break the request. */
export function isEtag(text: string | undefined): text is string {
  return text !== undefined && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(text);
}

/**
 * What `If-Range` may hold: a strong entity tag, else the date. A weak tag promises only "much the same", and half of one
 * file glued to half of a much-the-same one is neither.
 */
export function rangeValidator({ headers }: Head): string | undefined {
  const etag = headers.get('etag');
  if (isEtag(etag) && !etag.startsWith('W/')) return etag;
  const date = headers.get('last-modified');
  return date !== undefined && /^[\x20-\x7e]{10,40}$/.test(date) ? date : undefined;
}
