/** Requests to one registry: where it is, who is asking, and what its refusals mean. */
import { type HttpClient, HttpError, type HttpResponse } from '../../http/index.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { assertClear } from '../auth/realm.ts';
import type { Scopes } from '../auth/scope.ts';
import { type Asked, explained, refusal } from '../error.ts';
import { Shared } from './shared.ts';
import { isAnswer, isSuccess } from './statuses.ts';
import type { Warnings } from './warnings.ts';

export interface Ask {
  /** `manifest v1 of library/busybox`: for errors. */
  readonly what: string;
  /** Default `GET`. */
  readonly method?: string | undefined;
  /** Below the registry (`/v2/...`, query included), or a place that the registry has named. */
  readonly at: string | URL;
  readonly scopes: Scopes;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined;
  /** Bound of the body of the answer, default 1 MiB. */
  readonly limit?: number | undefined;
  /** Statuses below 500 that are an answer; default 2xx. Others are thrown as RegistryError. */
  readonly answers?: ((status: number) => boolean) | undefined;
  /** May be done twice? As in `http` by default. */
  readonly retry?: boolean | undefined;
}

export interface SessionOptions {
  /** As the user calls it. */
  readonly host: string;
  /** The first that can be talked to is the registry; there is more than one only for an insecure registry. */
  readonly bases: readonly [URL, ...URL[]];
  readonly http: HttpClient;
  readonly authorizer: Authorizer;
  readonly warnings: Warnings;
  readonly insecure: boolean;
  readonly credentialsHint: string | undefined;
  /** Ask for the registry's wishes before the first request, rather than be refused by it. */
  readonly introduce: boolean;
}

/** Nobody speaks the protocol there; another scheme may still do. */
const NOT_THERE = new Set(['HTTP_TLS', 'HTTP_PROTOCOL', 'HTTP_UNREACHABLE', 'HTTP_INTERRUPTED']);

export class Session {
  readonly #options: SessionOptions;
  readonly #connecting = new Shared<URL>();
  #base: URL | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get http(): HttpClient {
    return this.#options.http;
  }

  get insecure(): boolean {
    return this.#options.insecure;
  }

  asked(what: string): Asked {
    const { host, credentialsHint } = this.#options;
    return { host, what, credentialsHint };
  }

  /** @throws RegistryError by status, HttpError when there was no answer */
  async ask(ask: Ask, signal: AbortSignal): Promise<HttpResponse> {
    const { answers = isSuccess } = ask;
    const response = await this.#askTwice(ask, signal);
    this.#options.warnings.show(response.headers.get('warning'));
    if (answers(response.status)) return response;
    throw refusal(this.asked(ask.what), response);
  }

  async urlOf(at: string | URL, signal: AbortSignal): Promise<URL> {
    return new URL(at, await this.#connect(signal));
  }

  /** Headers that prove who is asking; none for a place outside of the registry. */
  async proof(url: URL, scopes: Scopes, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const base = await this.#connect(signal);
    if (url.origin !== base.origin) return {};
    return this.#headers(url, await this.#options.authorizer.current(scopes, signal));
  }

  async #askTwice(ask: Ask, signal: AbortSignal): Promise<HttpResponse> {
    const { authorizer } = this.#options;
    try {
      const base = await this.#connect(signal);
      const url = new URL(ask.at, base);
      if (url.origin !== base.origin) return await this.#send(url, ask, {}, signal);
      const used = await authorizer.current(ask.scopes, signal);
      const response = await this.#send(url, ask, this.#headers(url, used), signal);
      // A storage host that the registry has sent us to has no say in where the credentials go.
      if (response.status !== 401 || response.url.origin !== base.origin) return response;
      const next = await authorizer.renewed(response.headers.get('www-authenticate'), ask.scopes, used, signal);
      if (next === undefined) return response;
      return await this.#send(url, ask, this.#headers(url, next), signal);
    } catch (error) {
      throw explained(this.asked(ask.what), error);
    }
  }

  #headers(url: URL, authorization: string | undefined): Readonly<Record<string, string>> {
    if (authorization === undefined) return {};
    assertClear(this.asked('credentials'), url, this.insecure);
    return { authorization };
  }

  #send(url: URL, ask: Ask, proof: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpResponse> {
    const { method, body, limit, retry } = ask;
    const headers = { ...ask.headers, ...proof };
    return this.http.request(url, { method, headers, body, limit, retry, accepts: isAnswer, signal });
  }

  async #connect(signal: AbortSignal): Promise<URL> {
    const { bases, introduce } = this.#options;
    if (bases.length === 1 && !introduce) return bases[0];
    this.#base ??= await this.#connecting.get((own) => this.#introduce(own), signal);
    return this.#base;
  }

  /** `GET /v2/` of each address: whoever answers is the registry, and a 401 tells what it wants to see. */
  async #introduce(signal: AbortSignal): Promise<URL> {
    const { bases, authorizer } = this.#options;
    let first: unknown;
    for (const base of bases) {
      try {
        const { status, headers, url } = await this.http.request(new URL('/v2/', base), { accepts: isAnswer, signal });
        if (status === 401 && url.origin === base.origin) authorizer.learn(headers.get('www-authenticate'));
        return base;
      } catch (error) {
        if (!(error instanceof HttpError) || !NOT_THERE.has(error.code)) {
          throw explained(this.asked('first contact'), error);
        }
        first ??= error;
      }
    }
    throw first;
  }
}
