/** A token server as registries with bearer authentication send their clients to; docker-registry checks what it signs. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TokenAuthority } from './docker-registry.ts';
import { makeScratch, removeTree } from './scratch.ts';

/** What a user may do with a repository; no user is somebody without credentials. */
export type Grant = (username: string | undefined, repository: string) => readonly string[];

export interface TokenServerOptions {
  /** Names and passwords. Wrong ones get 401; none at all is anonymous. */
  readonly accounts?: Readonly<Record<string, string>> | undefined;
  /** Default: everybody may pull, those with an account push and delete, too. */
  readonly grant?: Grant | undefined;
  /** Default 300. */
  readonly expiresIn?: number | undefined;
  /** A token of this kind is given for a password, and taken instead of one (`grant_type=refresh_token`). */
  readonly refreshToken?: string | undefined;
  /** Paths of PEM files: https only. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export interface TokenRequest {
  readonly method: string;
  /** As the client asked: `service`, `scope` (of several, separated by spaces), `account` ... of query or body. */
  readonly words: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly status: number;
}

export interface TokenServer extends TokenAuthority {
  readonly url: string;
  readonly requests: readonly TokenRequest[];
  close(): Promise<void>;
}

const SERVICE = 'registry.test';
const ISSUER = 'issuer.test';

const GRANT: Grant = (username) => (username === undefined ? ['pull'] : ['pull', 'push', 'delete', '*']);

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const dir = makeScratch();
  const [keyFile, certificate] = [join(dir, 'token.key'), join(dir, 'token.crt')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-keyout', keyFile, '-out', certificate, '-days', '2', '-subj', '/CN=tokens'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names], { stdio: ['ignore', 'ignore', 'pipe'] });
  const seal = signer(readFileSync(keyFile), readFileSync(certificate));

  const requests: TokenRequest[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const words = await wordsOf(request);
    const { authorization } = request.headers;
    const { status, body } = answer(words, authorization, options, seal);
    requests.push({ method: request.method ?? '', words, authorization, status });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a listening TCP server
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return {
    url,
    realm: `${url}/token`,
    service: SERVICE,
    issuer: ISSUER,
    certificate,
    requests,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      removeTree(dir);
    },
  };
}

/** Of the query, and of a form that was posted (OAuth 2). Scopes may be repeated. */
async function wordsOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url ?? '/', 'http://localhost');
  const words: Record<string, string> = {};
  for (const [key, value] of [...url.searchParams, ...new URLSearchParams(Buffer.concat(chunks).toString())]) {
    words[key] = key === 'scope' && words[key] !== undefined ? `${words[key]} ${value}` : value;
  }
  return words;
}

type Seal = (claims: object) => string;

function answer(
  words: Readonly<Record<string, string>>,
  authorization: string | undefined,
  { accounts = {}, grant = GRANT, expiresIn = 300, refreshToken }: TokenServerOptions,
  seal: Seal,
): { readonly status: number; readonly body: object } {
  const denied = { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'wrong name or password' }] } };
  const [username, password] = given(words, authorization);
  if (words['grant_type'] === 'refresh_token') {
    if (refreshToken === undefined || words['refresh_token'] !== refreshToken) return denied;
  } else if (username !== undefined && (!Object.hasOwn(accounts, username) || accounts[username] !== password)) {
    return denied;
  }
  const user = words['grant_type'] === 'refresh_token' ? 'refreshed' : username;
  const access = (words['scope'] ?? '').split(' ').flatMap((scope) => granted(scope, user, grant));
  const now = Math.floor(Date.now() / 1000);
  const token = seal({
    iss: ISSUER,
    sub: user ?? '',
    aud: SERVICE,
    iat: now,
    nbf: now - 5,
    exp: now + expiresIn,
    jti: randomUUID(),
    access,
  });
  const refresh = refreshToken !== undefined && user !== undefined ? { refresh_token: refreshToken } : {};
  return { status: 200, body: { token, access_token: token, expires_in: expiresIn, ...refresh } };
}

function given(words: Readonly<Record<string, string>>, authorization: string | undefined): readonly string[] {
  if (words['grant_type'] === 'password') return [words['username'] ?? '', words['password'] ?? ''];
  const [, encoded] = /^Basic (\S+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return [];
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function granted(scope: string, user: string | undefined, grant: Grant): object[] {
  const [, name, actions] = /^repository:(.+):([a-z*,]+)$/.exec(scope) ?? [];
  if (name === undefined || actions === undefined) return [];
  const allowed = grant(user, name);
  return [{ type: 'repository', name, actions: actions.split(',').filter((action) => allowed.includes(action)) }];
}

function signer(key: Buffer, certificate: Buffer): Seal {
  const privateKey = createPrivateKey(key);
  const x5c = [new X509Certificate(certificate).raw.toString('base64')];
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return (claims) => {
    const data = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${data}.${signature.toString('base64url')}`;
  };
}
