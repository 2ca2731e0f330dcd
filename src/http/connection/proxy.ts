/** Which proxy a URL goes through, by the variables and rules that curl follows. */
import { BlockList, isIP } from 'node:net';
import { HttpError } from '../error.ts';
import { basicAuthorization, stripped } from './url.ts';

export interface ProxyServer {
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** @throws HttpError HTTP_BAD_PROXY when the variable that applies does not name an http or https proxy */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): ProxyServer | undefined {
  const [name, value] = firstSet(env, url.protocol === 'https:' ? HTTPS : httpVariables(env));
  if (value === undefined || isExempt(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  return parseProxy(name, value);
}

const HTTPS = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** In a CGI program `HTTP_PROXY` is the client's own `ProxyServer:` header ("httpoxy"); there only the lower case counts. */
function httpVariables(env: NodeJS.ProcessEnv): readonly string[] {
  const inCgi = env['REQUEST_METHOD'] !== undefined;
  return inCgi ? ['http_proxy', 'all_proxy'] : ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
}

function firstSet(env: NodeJS.ProcessEnv, names: readonly string[]): readonly [string, string | undefined] {
  const name = names.find((n) => env[n] !== undefined && env[n] !== '') ?? '';
  return [name, env[name]];
}

/** `host:port` without a scheme means http, as everywhere. The value stays out of the message: it may hold a password. */
function parseProxy(variable: string, value: string): ProxyServer {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '' || !/^https?:$/.test(url.protocol)) {
    throw new HttpError('HTTP_BAD_PROXY', `${variable}: expected http://HOST:PORT or https://HOST:PORT`);
  }
  return { url: stripped(url), authorization: basicAuthorization(url) };
}

/** Is the host in a list like `localhost,.example.com,10.0.0.0/8,host:8080`, or the list `*`? */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(/[,\s]+/)
    .some((entry) => entry === '*' || (entry !== '' && matches(entry.toLowerCase(), host, port)));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isInSubnet(host, entry);
  const [, bracketed, plain, wanted] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const name = (bracketed ?? plain ?? entry).replace(/^\*?\./, '');
  return name !== '' && (host === name || (isIP(host) === 0 && host.endsWith(`.${name}`)));
}

function isInSubnet(host: string, subnet: string): boolean {
  const [address = '', bits = ''] = subnet.split('/');
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^[0-9]{1,3}$/.test(bits)) return false;
  const length = Number.parseInt(bits, 10);
  if (length > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
