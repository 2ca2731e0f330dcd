import { printable, quote } from '../../base/text.ts';
import { type Asked, nonsense, RegistryError } from '../error.ts';
import type { Challenge } from './challenge.ts';

/** Where the registry sends its clients for tokens. It counts as the registry's own, whichever host it is on. */
export interface Realm {
  readonly url: URL;
  readonly service: string | undefined;
}

/**
 * @param insecure the user has declared that this registry may be talked to without protection
 * @throws RegistryError REGISTRY_REALM when secrets would go in clear, REGISTRY_PROTOCOL when it is no address
 */
export function parseRealm(asked: Asked, { parameters }: Challenge, insecure: boolean): Realm {
  const text = parameters.get('realm') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw nonsense(asked, 'the address of a token server as realm', quote(text));
  }
  if (url.protocol === 'http:') assertClear(asked, url, insecure);
  url.hash = '';
  return { url, service: parameters.get('service') };
}

/** Passwords and tokens go over https, or where the user has said that they need not. */
export function assertClear({ host }: Asked, url: URL, insecure: boolean): void {
  if (url.protocol === 'https:' || insecure) return;
  const where = printable(`${url.protocol}//${url.host}`);
  throw new RegistryError('REGISTRY_REALM', `${host}: credentials are not sent to ${where} in clear`, {
    subject: host,
    hint: 'if that is meant, declare the registry insecure',
  });
}
