/** Who may do what: no authentication, basic, or bearer with a token endpoint of the registry's own. */
import { randomBytes } from 'node:crypto';
import { type Answer, failure } from './faults.ts';

/** Names and passwords. */
export type Accounts = Readonly<Record<string, string>>;

export type Authentication =
  | { readonly kind: 'basic'; readonly accounts: Accounts }
  | {
      readonly kind: 'bearer';
      readonly accounts: Accounts;
      /** What somebody without credentials gets; default `['pull']`. */
      readonly anonymous?: readonly string[];
      /** Seconds; default 300. They do not end earlier by themselves: see `expireTokens`. */
      readonly expiresIn?: number;
      /** Another place than `/token` of this server to send clients to. */
      readonly realm?: string;
      /** Taken in a POST with `grant_type=refresh_token`. */
      readonly identityToken?: string;
    };

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}

const EVERYTHING = ['pull', 'push', 'delete'];

export class Access {
  readonly #how: Authentication | undefined;
  readonly #origin: () => string;
  /** Tokens that were given out, to `NAME:ACTION` of theirs. */
  readonly #tokens = new Map<string, ReadonlySet<string>>();

  constructor(how: Authentication | undefined, origin: () => string) {
    this.#how = how;
    this.#origin = origin;
  }

  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Undefined when the request may be done; `needed` is empty for `/v2/` itself. */
  refusal({ authorization }: Asked, needed: readonly (readonly [name: string, action: string])[]): Answer | undefined {
    if (this.#how === undefined) return undefined;
    if (this.#how.kind === 'basic') {
      return accountOf(authorization, this.#how.accounts).name === undefined
        ? unauthorized('Basic realm="fake"')
        : undefined;
    }
    const [, token = ''] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
    const held = this.#tokens.get(token);
    if (held !== undefined && needed.every(([name, action]) => held.has(`${name}:${action}`))) return undefined;
    const first = needed[0]?.[0];
    const actions = needed.filter(([name]) => name === first).map(([, action]) => action);
    const scope = first === undefined ? '' : `,scope="repository:${first}:${actions.join(',')}"`;
    const why = held === undefined ? '' : ',error="insufficient_scope"';
    const realm = this.#how.realm ?? `${this.#origin()}/token`;
    return unauthorized(`Bearer realm="${realm}",service="fake.test"${scope}${why}`);
  }

  /** Both forms: GET with the scope in the query, and a POST as OAuth 2 has it. */
  token(asked: Asked): Answer {
    if (this.#how?.kind !== 'bearer') return failure(404, 'NOT_FOUND', 'no tokens here');
    const { accounts, anonymous = ['pull'], expiresIn = 300, identityToken } = this.#how;
    const words = new URLSearchParams(asked.method === 'POST' ? asked.body : asked.url.search);
    const who =
      words.get('grant_type') === 'refresh_token'
        ? { given: true, name: words.get('refresh_token') === identityToken ? 'refreshed' : undefined }
        : accountOf(asked.authorization ?? passwordGrant(words), accounts);
    if (who.given && who.name === undefined) return failure(401, 'UNAUTHORIZED', 'wrong name or password');
    const allowed = who.given ? EVERYTHING : anonymous;
    const scopes = words.getAll('scope').flatMap((scope) => scope.split(' '));
    const token = randomBytes(16).toString('hex');
    this.#tokens.set(token, new Set(scopes.flatMap((scope) => granted(scope, allowed))));
    const body = JSON.stringify({ token, access_token: token, expires_in: expiresIn });
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
}

function unauthorized(challenge: string): Answer {
  const { headers, ...rest } = failure(401, 'UNAUTHORIZED', 'authentication required');
  return { ...rest, headers: { ...headers, 'www-authenticate': challenge } };
}

/** `given` without a name: the password is wrong. */
function accountOf(
  authorization: string | undefined,
  accounts: Accounts,
): { given: boolean; name: string | undefined } {
  const [, encoded] = /^Basic (\S+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return { given: false, name: undefined };
  const text = Buffer.from(encoded, 'base64').toString();
  const name = text.slice(0, text.indexOf(':'));
  const isRight = Object.hasOwn(accounts, name) && text === `${name}:${accounts[name]}`;
  return { given: true, name: isRight ? name : undefined };
}

function passwordGrant(words: URLSearchParams): string | undefined {
  if (words.get('grant_type') !== 'password') return undefined;
  return `Basic ${Buffer.from(`${words.get('username')}:${words.get('password')}`).toString('base64')}`;
}

function granted(scope: string, allowed: readonly string[]): string[] {
  const [, name, actions = ''] = /^repository:(.+):([a-z*,]+)$/.exec(scope) ?? [];
  const wanted = actions.split(',').flatMap((action) => (action === '*' ? EVERYTHING : [action]));
  return wanted.filter((action) => allowed.includes(action)).map((action) => `${name}:${action}`);
}
