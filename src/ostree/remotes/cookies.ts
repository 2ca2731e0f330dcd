/**
 * `<remote>.cookies.txt` in the repository: lines of domain, subdomains (TRUE or FALSE), path, secure, expiry (seconds),
 * name, value, with tabs between; `#` comments. The format of Netscape, which curl reads. Cookies of answers are not kept.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import { assertRemoteName } from '../repository/ref-names.ts';
import type { Repository } from '../repository/repository.ts';
import { replaceInRepository } from '../storage/temporary.ts';

const FILE_LIMIT = 2 ** 20;

export interface Cookie {
  /** Lower case, without a dot in front. */
  readonly domain: string;
  readonly hasSubdomains: boolean;
  readonly path: string;
  readonly isSecure: boolean;
  /** Seconds since the epoch; 0: never. */
  readonly expires: number;
  readonly name: string;
  readonly value: string;
}

/** Empty when there is no such file. @throws OstreeError CONFIG_MALFORMED */
export function readCookies(repository: Repository, remote: string): readonly Cookie[] {
  const name = cookieFile(remote);
  const file = readBounded(repository.directory, name, FILE_LIMIT);
  const text = file === undefined ? '' : decodeUtf8(file.bytes);
  if (text === undefined) throw new OstreeError('CONFIG_MALFORMED', `${name}: not UTF-8`, { subject: name });
  return parseCookies(text, name);
}

export function parseCookies(text: string, file: string): readonly Cookie[] {
  return text.split('\n').flatMap((line, i) => {
    const plain = line.replace(/^#HttpOnly_/, '').replace(/\r$/, '');
    if (plain.trim() === '' || plain.startsWith('#')) return [];
    const [domain = '', subdomains, path = '', secure, expires = '', name = '', value, extra] = plain.split('\t');
    const isWhole = value !== undefined && extra === undefined && name !== '' && /^[0-9]{1,12}$/.test(expires);
    if (!isWhole || /[;\p{Cc}]/u.test(name + value)) {
      // What stands there may be a secret: the line's number has to do.
      throw new OstreeError('CONFIG_MALFORMED', `${file} line ${i + 1}: expected 7 fields with tabs between`);
    }
    return [
      {
        domain: domain.toLowerCase().replace(/^\./, ''),
        hasSubdomains: subdomains === 'TRUE',
        path: path === '' ? '/' : path,
        isSecure: secure === 'TRUE',
        expires: Number(expires),
        name,
        value,
      },
    ];
  });
}

export function formatCookies(cookies: readonly Cookie[]): string {
  const flag = (value: boolean): string => (value ? 'TRUE' : 'FALSE');
  return cookies
    .map(({ domain, hasSubdomains, path, isSecure, expires, name, value }) =>
      [hasSubdomains ? `.${domain}` : domain, flag(hasSubdomains), path, flag(isSecure), expires, name, value].join(
        '\t',
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Replaces the one of the same domain, path and name. @throws OstreeError CONFIG_MALFORMED */
export function addCookie(repository: Repository, remote: string, cookie: Cookie, dryRun = false): void {
  const others = readCookies(repository, remote).filter((each) => !isSame(each, cookie));
  writeCookies(repository, remote, [...others, cookie], dryRun);
}

/** False when there is none. */
export function deleteCookie(
  repository: Repository,
  remote: string,
  wanted: Pick<Cookie, 'domain' | 'path' | 'name'>,
  dryRun = false,
): boolean {
  const cookies = readCookies(repository, remote);
  const left = cookies.filter((each) => !isSame(each, wanted));
  if (left.length === cookies.length) return false;
  writeCookies(repository, remote, left, dryRun);
  return true;
}

function isSame(a: Pick<Cookie, 'domain' | 'path' | 'name'>, b: Pick<Cookie, 'domain' | 'path' | 'name'>): boolean {
  const domain = (text: string): string => text.toLowerCase().replace(/^\./, '');
  return domain(a.domain) === domain(b.domain) && a.path === b.path && a.name === b.name;
}

/** Only for its owner: cookies are secrets. */
function writeCookies(repository: Repository, remote: string, cookies: readonly Cookie[], dryRun: boolean): void {
  const name = cookieFile(remote);
  const text = formatCookies(cookies);
  parseCookies(text, name); // what could not be read again is not written
  if (dryRun) return;
  replaceInRepository(repository, { directory: repository.directory, name }, Buffer.from(text), 0o600);
}

function cookieFile(remote: string): string {
  return `${assertRemoteName(remote)}.cookies.txt`;
}

/** The header for an address, empty when none is for it. */
export function cookieHeaders(cookies: readonly Cookie[], address: string, now = Date.now()): Record<string, string> {
  if (cookies.length === 0 || !URL.canParse(address)) return {};
  const url = new URL(address);
  const fitting = cookies.filter(
    (cookie) => isFor(cookie, url) && (cookie.expires === 0 || cookie.expires * 1000 > now),
  );
  if (fitting.length === 0) return {};
  return { cookie: fitting.map(({ name, value }) => `${name}=${value}`).join('; ') };
}

function isFor({ domain, hasSubdomains, path, isSecure }: Cookie, url: URL): boolean {
  if (isSecure && url.protocol !== 'https:') return false;
  const host = url.hostname.toLowerCase();
  if (host !== domain && !(hasSubdomains && host.endsWith(`.${domain}`))) return false;
  const prefix = path.endsWith('/') ? path : `${path}/`;
  return url.pathname === path || url.pathname.startsWith(prefix);
}
