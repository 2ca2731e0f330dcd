/** Where an upload goes on, as the registry says after every step. */
import { quote } from '../../base/text.ts';
import type { HttpResponse } from '../../http/index.ts';
import type { Digest } from '../../oci/index.ts';
import { type Asked, nonsense } from '../error.ts';

/**
 * @returns undefined where there is no `Location` at all: then the place stays the same
 * @throws RegistryError REGISTRY_PROTOCOL, also for a step from https to http
 */
export function locationOf(asked: Asked, { headers, url }: HttpResponse, insecure: boolean): URL | undefined {
  const text = headers.get('location');
  if (text === undefined) return undefined;
  const place = URL.canParse(text, url.href) ? new URL(text, url) : undefined;
  const isFit = place !== undefined && (place.protocol === 'https:' || (place.protocol === 'http:' && insecure));
  if (!isFit || place.username !== '' || place.password !== '') {
    throw nonsense(asked, 'a Location to send the blob to', quote(text.split('?')[0] ?? ''));
  }
  place.hash = '';
  return place;
}

/** The query holds the state of the upload, in whatever encoding: nothing of it is touched. */
export function withDigest(place: URL, digest: Digest): URL {
  const closed = new URL(place);
  closed.search = `${place.search === '' ? '?' : `${place.search}&`}digest=${encodeURIComponent(digest)}`;
  return closed;
}

/** `Range: 0-N` (or `bytes=0-N`): so many bytes have arrived. `0-0` is what some say of none and others of one. */
export function receivedBytes({ headers }: HttpResponse): number | undefined {
  const [, last] = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(headers.get('range') ?? '') ?? [];
  return last === undefined || last === '0' ? undefined : Number(last) + 1;
}
