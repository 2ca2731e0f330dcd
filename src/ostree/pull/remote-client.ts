/** The web client of one remote: what its configuration says about addresses, certificates and proxies. */
import { createHttpClient, type HttpSettings } from '../../http/index.ts';
import { OstreeError } from '../error.ts';
import { cookieHeaders, readCookies } from '../remotes/cookies.ts';
import type { Remote } from '../remotes/remote.ts';
import type { Repository } from '../repository/repository.ts';
import { resolveUrls } from './mirror-list.ts';
import { Origin } from './origin.ts';

export interface RemoteAccess {
  /** Instead of that of the configuration; contents come from there, too. */
  readonly url?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the user chose; the remote's own settings come on top of it. */
  readonly http: HttpSettings;
  readonly signal: AbortSignal;
}

export interface OpenOrigin {
  readonly origin: Origin;
  close(): Promise<void>;
}

/** @throws OstreeError REMOTE_UNSUITABLE; HttpError when a list of mirrors cannot be had */
export async function openOrigin(repository: Repository, remote: Remote, access: RemoteAccess): Promise<OpenOrigin> {
  const { signal } = access;
  const url = access.url ?? addressOf(remote);
  const client = createHttpClient(clientSettings(remote, access.http));
  try {
    const cookies = readCookies(repository, remote.name);
    const contentUrl = access.url === undefined ? remote.contentUrl : undefined;
    const known = new Set([url, contentUrl ?? url].map(originOf));
    // What the user adds may be a token: it is for the servers that are configured, not for those that a list names.
    const added = (address: string) => (known.has(originOf(address)) ? access.headers : undefined);
    const headers = (address: string) => ({ ...cookieHeaders(cookies, address), ...added(address) });
    const urls = await resolveUrls(client, url, headers, signal);
    const contentUrls = contentUrl === undefined ? urls : await resolveUrls(client, contentUrl, headers, signal);
    return { origin: new Origin({ client, urls, contentUrls, headers, signal }), close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Scheme, host and port of an address, or of the address of a list. */
function originOf(address: string): string {
  const url = address.replace(/^mirrorlist=/, '');
  return URL.canParse(url) ? new URL(url).origin : url;
}

/** @throws OstreeError REMOTE_UNSUITABLE: nobody can pull from it, or not with what we have */
export function addressOf(remote: Remote): string {
  const refuse = (text: string, hint?: string): OstreeError =>
    new OstreeError('REMOTE_UNSUITABLE', `remote ${remote.name}: ${text}`, { subject: remote.name, hint });
  if (remote.unconfiguredState !== undefined) throw refuse(remote.unconfiguredState);
  if (remote.customBackend !== undefined) throw refuse(`its content comes by custom-backend ${remote.customBackend}`);
  if (remote.metalink !== undefined) throw refuse('metalink is not supported', 'configure url= or a mirrorlist=');
  if (remote.tlsPermissive) {
    throw refuse('tls-permissive=true is not supported', 'name the authority to trust with tls-ca-path=');
  }
  if (remote.url === undefined || remote.url === '') throw refuse('it has no url');
  return remote.url;
}

function clientSettings(remote: Remote, http: HttpSettings): HttpSettings {
  const { tlsCaPath, tlsClientCertPath, tlsClientKeyPath, proxy } = remote;
  const env = http.env ?? process.env;
  return {
    ...http,
    caFile: http.caFile ?? tlsCaPath,
    certFile: http.certFile ?? tlsClientCertPath,
    keyFile: http.keyFile ?? tlsClientKeyPath,
    env: proxy === undefined ? env : { ...env, http_proxy: proxy, https_proxy: proxy },
  };
}
