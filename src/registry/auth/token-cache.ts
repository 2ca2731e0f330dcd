import { covers, type Scopes } from './scope.ts';

export interface Token {
  readonly value: string;
  readonly scopes: Scopes;
  /** Milliseconds since the epoch; shortly before the end of its life. */
  readonly expiresAtMs: number;
}

/** A copy of many repositories has one or two tokens for each; an old one costs one request. */
const LIMIT = 64;

/** Tokens of one registry. One that was given for more serves for less. */
export class TokenCache {
  readonly #tokens = new Set<Token>();

  find(wanted: Scopes, nowMs: number): Token | undefined {
    for (const token of this.#tokens) {
      if (token.expiresAtMs <= nowMs) this.#tokens.delete(token);
      else if (covers(token.scopes, wanted)) return token;
    }
    return undefined;
  }

  add(token: Token): void {
    this.#tokens.add(token);
    const [oldest] = this.#tokens;
    if (this.#tokens.size > LIMIT && oldest !== undefined) this.#tokens.delete(oldest);
  }

  /** The registry does not take it any more, or never did. */
  forget(value: string): void {
    for (const token of this.#tokens) if (token.value === value) this.#tokens.delete(token);
  }
}
