/** Proves to one registry who is asking. */
import type { HttpClient } from '../../http/index.ts';
import { type Asked, nonsense, RegistryError } from '../error.ts';
import { Shared } from '../session/shared.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type Credentials, isHeaderSafe } from './credentials.ts';
import { parseRealm, type Realm } from './realm.ts';
import { formatScopes, mergeScopes, parseScopes, type Scopes } from './scope.ts';
import { fetchToken } from './token.ts';
import { type Token, TokenCache } from './token-cache.ts';

export interface AuthorizerOptions {
  readonly host: string;
  readonly http: HttpClient;
  readonly credentials: Credentials | undefined;
  readonly insecure: boolean;
  readonly credentialsHint: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

type Method = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: Realm };

/** The last part of a token's life that is not relied on: a request takes its time. */
const RESERVE = 0.1;

export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #now: () => number;
  readonly #tokens = new TokenCache();
  readonly #underWay = new Map<string, Shared<Token>>();
  /** Known from the first 401 on. */
  #method: Method | undefined;
  #credentials: Credentials | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    this.#now = options.now ?? Date.now;
  }

  /** What goes along with a request, as far as the registry's wishes are known. */
  async current(scopes: Scopes, signal: AbortSignal): Promise<string | undefined> {
    if (this.#credentials?.kind === 'bearer') return this.#fixed(this.#credentials.token);
    if (this.#method === undefined) return undefined;
    if (this.#method.kind === 'basic') return this.#basic();
    return `Bearer ${(await this.#token(this.#method.realm, scopes, signal)).value}`;
  }

  /** Takes notice of a challenge without answering it. */
  learn(header: string | undefined): Challenge | undefined {
    if (header === undefined) return undefined;
    const challenges = parseChallenges(header);
    if (challenges === undefined) throw nonsense(this.#asked, 'a WWW-Authenticate header', 'something else in it');
    const of = (scheme: string): Challenge | undefined => challenges.find((challenge) => challenge.scheme === scheme);
    const bearer = of('bearer');
    if (bearer !== undefined && this.#credentials?.kind !== 'bearer') {
      this.#method = { kind: 'bearer', realm: parseRealm(this.#asked, bearer, this.#options.insecure) };
      return bearer;
    }
    const basic = of('basic');
    if (basic !== undefined) this.#method = { kind: 'basic' };
    return basic;
  }

  /**
   * The answer to a 401.
   * @param used what was sent and not accepted
   * @returns undefined when there is nothing else to offer
   */
  async renewed(
    header: string | undefined,
    scopes: Scopes,
    used: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const challenge = this.learn(header);
    if (challenge === undefined) return undefined;
    if (used?.startsWith('Bearer ')) this.#tokens.forget(used.slice('Bearer '.length));
    const wanted = mergeScopes(scopes, parseScopes(challenge.parameters.get('scope')));
    const next = await this.current(wanted, signal);
    return next === used ? undefined : next;
  }

  get #asked(): Asked {
    const { host, credentialsHint } = this.#options;
    return { host, what: 'authentication', credentialsHint };
  }

  #basic(): string | undefined {
    const credentials = this.#credentials;
    return credentials?.kind === 'basic' ? basicAuthorization(credentials.username, credentials.password) : undefined;
  }

  #fixed(token: string): string {
    if (isHeaderSafe(token)) return `Bearer ${token}`;
    const { host } = this.#options;
    throw new RegistryError('REGISTRY_DENIED', `${host}: the registry token holds characters that no header may`);
  }

  /** The cached one, the one somebody else is fetching just now, or a new one. */
  async #token(realm: Realm, scopes: Scopes, signal: AbortSignal): Promise<Token> {
    const known = this.#tokens.find(scopes, this.#now());
    if (known !== undefined) return known;
    const key = formatScopes(scopes).join(' ');
    const shared = this.#underWay.get(key) ?? new Shared<Token>();
    this.#underWay.set(key, shared);
    try {
      return await shared.get((own) => this.#fetch(realm, scopes, own), signal);
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #fetch({ url, service }: Realm, scopes: Scopes, signal: AbortSignal): Promise<Token> {
    const { http } = this.#options;
    const credentials = this.#credentials?.kind === 'bearer' ? undefined : this.#credentials;
    const asked = { ...this.#asked, what: `token from ${url.host}` };
    const request = { asked, http, realm: url, service, scopes: formatScopes(scopes), credentials };
    const startedMs = this.#now();
    const { token, lifetimeMs, refreshToken } = await fetchToken(request, signal);
    if (refreshToken !== undefined && credentials?.kind === 'identity-token') {
      this.#credentials = { kind: 'identity-token', token: refreshToken };
    }
    const found = { value: token, scopes, expiresAtMs: startedMs + lifetimeMs * (1 - RESERVE) };
    this.#tokens.add(found);
    return found;
  }
}
