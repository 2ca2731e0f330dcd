/** A token from a token server: Docker's token specification (GET) and its OAuth 2 form (POST). */
import type { HttpClient, HttpResponse } from '../../http/index.ts';
import { type Asked, explained, nonsense, refusal } from '../error.ts';
import { field } from '../server-message.ts';
import { isAnswer } from '../session/statuses.ts';
import { basicAuthorization, type Credentials, isHeaderSafe } from './credentials.ts';

export interface TokenRequest {
  readonly asked: Asked;
  readonly http: HttpClient;
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** Anonymous without. A `bearer` is never exchanged for another. */
  readonly credentials: Exclude<Credentials, { readonly kind: 'bearer' }> | undefined;
}

export interface TokenAnswer {
  readonly token: string;
  readonly lifetimeMs: number;
  /** Instead of the identity token that was given, from now on. */
  readonly refreshToken: string | undefined;
}

const CLIENT_ID = 'tako';
/** Longer ones do not fit into a header that servers accept. */
const TOKEN_LIMIT = 64 * 1024;
const RESPONSE_LIMIT = 256 * 1024;
/** What the specification says when the server says nothing. */
const DEFAULT_LIFETIME_S = 60;
const LONGEST_LIFETIME_S = 24 * 3600;

/** @throws RegistryError REGISTRY_DENIED, REGISTRY_PROTOCOL ... */
export async function fetchToken(request: TokenRequest, signal: AbortSignal): Promise<TokenAnswer> {
  const { asked, credentials } = request;
  let response: HttpResponse;
  try {
    response = credentials?.kind === 'identity-token' ? await post(request, signal) : await get(request, signal);
    // Some servers only speak the younger form.
    if (credentials?.kind === 'basic' && (response.status === 404 || response.status === 405))
      response = await post(request, signal);
  } catch (error) {
    throw explained(asked, error);
  }
  if (response.status !== 200) throw refusal(asked, response);
  return parseToken(asked, response.bytes);
}

function get({ http, realm, service, scopes, credentials }: TokenRequest, signal: AbortSignal): Promise<HttpResponse> {
  const url = new URL(realm);
  if (credentials?.kind === 'basic') url.searchParams.append('account', credentials.username);
  if (service !== undefined) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const authorization =
    credentials?.kind === 'basic' ? basicAuthorization(credentials.username, credentials.password) : undefined;
  return http.request(url, {
    headers: authorization === undefined ? {} : { authorization },
    limit: RESPONSE_LIMIT,
    accepts: isAnswer,
    signal,
  });
}

function post({ http, realm, service, scopes, credentials }: TokenRequest, signal: AbortSignal): Promise<HttpResponse> {
  const form = new URLSearchParams();
  if (credentials?.kind === 'identity-token') {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credentials.token);
  } else if (credentials?.kind === 'basic') {
    form.set('grant_type', 'password');
    form.set('username', credentials.username);
    form.set('password', credentials.password);
  }
  form.set('client_id', CLIENT_ID);
  form.set('service', service ?? '');
  form.set('scope', scopes.join(' '));
  return http.request(realm, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    limit: RESPONSE_LIMIT,
    // A redirect is an answer, too: followed, it would carry the secret in the body to another server.
    accepts: (status) => isAnswer(status) || (status >= 300 && status < 400),
    retry: true,
    signal,
  });
}

function parseToken(asked: Asked, bytes: Uint8Array): TokenAnswer {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw nonsense(asked, 'a token in JSON', 'something else');
  }
  const token = [field(document, 'token'), field(document, 'access_token')].find((value) => isToken(value));
  if (token === undefined) throw nonsense(asked, 'a token', 'none that fits into a header');
  const refresh = field(document, 'refresh_token');
  return {
    token,
    lifetimeMs: lifetime(field(document, 'expires_in')) * 1000,
    refreshToken: isToken(refresh) ? refresh : undefined,
  };
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TOKEN_LIMIT && isHeaderSafe(value);
}

function lifetime(seconds: unknown): number {
  if (typeof seconds !== 'number' || !(seconds > 0)) return DEFAULT_LIFETIME_S;
  return Math.min(seconds, LONGEST_LIFETIME_S);
}
