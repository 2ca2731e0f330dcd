import { parseTarget } from '../connection/url.ts';
import type { Head, Outgoing } from '../exchange/exchange.ts';
import { withRetries } from '../exchange/retry.ts';
import { send } from '../exchange/send.ts';
import { type Headers, requestHeaders, type Session } from '../session.ts';
import { collectResponse } from './document.ts';

export interface RequestOptions {
  /** Default `GET`. */
  readonly method?: string | undefined;
  readonly headers?: Headers | undefined;
  /** A stream is given as a function, called once for every try; with its length in a `content-length` header, if known. */
  readonly body?: Outgoing['body'];
  /** Which statuses are an answer; default 200 to 299. */
  readonly accepts?: ((status: number) => boolean) | undefined;
  /** Bound of a body that is kept in memory, default 1 MiB. */
  readonly limit?: number | undefined;
  /** Repeat after passing failures? Default: only for GET, HEAD, PUT and DELETE, which may be done twice. */
  readonly retry?: boolean | undefined;
  /**
   * Gets the body instead of the memory. The chunk is only valid until this returns or its promise settles. Once it was
   * called, a failure is only retried when there is an `onRestart` to say that everything begins again.
   */
  readonly onChunk?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
  readonly onRestart?: (() => void) | undefined;
  /** With `onChunk`: sees the head before any of the body. What it throws ends the request, and nothing more is received. */
  readonly onHead?: ((head: Head) => void) | undefined;
  readonly signal: AbortSignal;
}

export interface HttpResponse extends Head {
  /** Empty when `onChunk` got them. */
  readonly bytes: Uint8Array;
}

const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

export function request(session: Session, address: URL | string, options: RequestOptions): Promise<HttpResponse> {
  const { method = 'GET', retry = REPEATABLE.has(method), signal } = options;
  let delivered = false;
  const attempt = async (): Promise<HttpResponse> => {
    const target = parseTarget(address);
    const { accepts = (status: number) => status >= 200 && status < 300 } = options;
    const headers = requestHeaders(session, target, options.headers);
    const sending = { method, url: target.url, headers, body: options.body, accepts };
    const { onChunk } = options;
    if (onChunk === undefined) {
      const { head, bytes } = await collectResponse(session, sending, options.limit ?? 2 ** 20, signal);
      return { ...head, bytes };
    }
    if (delivered) options.onRestart?.();
    delivered = false;
    let found: Head | undefined;
    const onHead = (head: Head): void => {
      found = head;
      options.onHead?.(head);
    };
    const counting = (chunk: Uint8Array): void | Promise<void> => {
      delivered = true;
      return onChunk(chunk);
    };
    await send(session, sending, { onHead, onChunk: counting }, signal);
    if (found === undefined) throw new Error('unreachable: a response without a head');
    return { ...found, bytes: new Uint8Array() };
  };
  const mayRepeat = (): boolean => retry && (!delivered || options.onRestart !== undefined);
  return withRetries(session, signal, attempt, mayRepeat);
}
