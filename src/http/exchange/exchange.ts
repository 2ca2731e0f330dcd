/** One request and its one response: no redirects, no repetition, no opinion about the status. */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { showUrl } from '../connection/url.ts';
import { HttpError } from '../error.ts';
import type { ResolvedSettings } from '../settings.ts';
import { explainFailure } from './failure.ts';
import { onAbort } from './on-abort.ts';
import type { RateLimit } from './rate-limit.ts';
import { StallWatch } from './stall-watch.ts';

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is given as a function, which is called once for every try. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined;
}

export interface Head {
  readonly status: number;
  /** Lower-case names; of a header sent twice the first value, or all of them where they make up a list. */
  readonly headers: ReadonlyMap<string, string>;
  readonly url: URL;
}

/** Takes a response as it arrives. Whatever it throws ends the transfer at once, and is what the caller gets. */
export interface Receiver {
  onHead(head: Head): void;
  /** The chunk is only valid until this returns, or the returned promise settles; nothing more comes meanwhile. */
  onChunk(chunk: Uint8Array): void | Promise<void>;
}

export interface Limits {
  readonly settings: ResolvedSettings;
  readonly rate: RateLimit;
}

/** Resolves at the end of the body. */
export function exchange(
  dispatcher: Dispatcher,
  limits: Limits,
  outgoing: Outgoing,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const settle = (failure?: { readonly reason: unknown }): void => {
      release();
      if (failure === undefined) resolve();
      else reject(failure.reason);
    };
    const handler = new Exchange(limits, outgoing.url, receiver, settle);
    const release = onAbort(signal, () => handler.fail(signal.reason));
    const { url, method, headers, body } = outgoing;
    const path = `${url.pathname}${url.search}`;
    const content = typeof body === 'function' ? Readable.from(counted(body(), handler)) : (body ?? null);
    dispatcher.dispatch({ origin: url.origin, path, method, headers: { ...headers }, body: content }, handler);
  });
}

/** Bytes that leave are progress as well as bytes that arrive. */
async function* counted(body: AsyncIterable<Uint8Array>, handler: Exchange): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    handler.onSent(chunk.length);
    yield chunk;
  }
}

type Controller = Dispatcher.DispatchController;

/** Ends exactly once, whatever undici still reports afterwards. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: Limits;
  readonly #url: URL;
  readonly #receiver: Receiver;
  readonly #settle: (failure?: { readonly reason: unknown }) => void;
  readonly #connecting: NodeJS.Timeout;
  #controller: Controller | undefined;
  #watch: StallWatch | undefined;
  #pause: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(limits: Limits, url: URL, receiver: Receiver, settle: (failure?: { readonly reason: unknown }) => void) {
    this.#limits = limits;
    this.#url = url;
    this.#receiver = receiver;
    this.#settle = settle;
    // The connector has its own limit; this one is for a proxy that accepts the connection and then says nothing.
    const limitMs = 2 * limits.settings.connectTimeoutMs + 1000;
    this.#connecting = setTimeout(() => this.#trouble('HTTP_UNREACHABLE', 'no connection'), limitMs);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#ended) return controller.abort(new Error('given up'));
    clearTimeout(this.#connecting);
    this.#watch ??= new StallWatch(this.#limits.settings, () => this.#stalled());
  }

  onSent(bytes: number): void {
    this.#watch?.received(bytes);
  }

  onResponseStart(_: Controller, status: number, raw: RawHeaders): void {
    if (status < 200) return; // 103 Early Hints and their like
    this.#guard(() => this.#receiver.onHead({ status, headers: headerMap(raw), url: this.#url }));
  }

  onResponseData(_: Controller, chunk: Uint8Array): void {
    this.#guard(() => {
      this.#watch?.received(chunk.length);
      const busy = this.#receiver.onChunk(chunk);
      const pauseMs = this.#limits.rate(chunk.length);
      if (busy !== undefined) this.#hold((go) => void busy.then(go, (reason) => this.fail(reason)));
      else if (pauseMs > 0) this.#hold((go) => (this.#pause = setTimeout(go, pauseMs)));
    });
  }

  /**
   * Two turns of the event loop later, because undici takes a connection back only in the next turn: a caller that sends
   * its next request at once would find it still occupied, and open (and over TLS, negotiate) a second one.
   */
  onResponseEnd(): void {
    this.#watch?.stop();
    setImmediate(() => setImmediate(() => this.#end()));
  }

  onResponseError(_: Controller, error: Error): void {
    this.#end({ reason: explainFailure(error, this.#url, this.#watch !== undefined) });
  }

  fail(reason: unknown): void {
    this.#end({ reason });
    if (this.#controller?.aborted === false) this.#controller.abort(new Error('given up'));
  }

  #end(failure?: { readonly reason: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch?.stop();
    clearTimeout(this.#connecting);
    clearTimeout(this.#pause);
    this.#settle(failure);
  }

  #guard(work: () => void): void {
    if (this.#ended) return;
    try {
      work();
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Read nothing until told to go on. */
  #hold(arrange: (go: () => void) => void): void {
    this.#controller?.pause();
    this.#watch?.pause();
    arrange(() => {
      if (this.#ended) return;
      this.#watch?.resume();
      this.#controller?.resume();
    });
  }

  #stalled(): void {
    const { minRate, minRateWindowMs } = this.#limits.settings;
    this.#trouble('HTTP_STALLED', `less than ${minRate} bytes/s for ${minRateWindowMs / 1000} s`);
  }

  #trouble(code: 'HTTP_STALLED' | 'HTTP_UNREACHABLE', what: string): void {
    const subject = showUrl(this.#url);
    this.fail(new HttpError(code, `${subject}: ${what}`, { subject }));
  }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Headers that may be sent several times instead of once with a list (RFC 9110, 5.3). */
const LISTS = new Set(['link', 'warning', 'www-authenticate']);

function headerMap(raw: RawHeaders): ReadonlyMap<string, string> {
  const joined = (name: string, values: string[]) => (LISTS.has(name) ? values.join(', ') : values[0]);
  return new Map(
    Object.entries(raw).map(([name, value]) => [name, (Array.isArray(value) ? joined(name, value) : value) ?? '']),
  );
}
