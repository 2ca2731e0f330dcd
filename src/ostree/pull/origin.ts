/**
 * The web server of a repository: where its files are asked for. `url` has metadata about the repository (refs,
 * summary, config, detached metadata), `contenturl` the objects and deltas. Spec 13.2, 13.3.
 */
import { setMaxListeners } from 'node:events';
import { type Head, type HttpClient, HttpError } from '../../http/index.ts';
import type { Scratch } from './scratch.ts';

/** What is taken into memory without a second thought; larger answers come one at a time. */
const SMALL = 4 * 2 ** 20;

export type Side = 'metadata' | 'content';

export interface OriginSettings {
  readonly client: HttpClient;
  /** One address, or those of a list of mirrors: a later one is asked when an earlier one fails. */
  readonly urls: readonly string[];
  readonly contentUrls: readonly string[];
  /** For an address: those that the user gave, and cookies. */
  readonly headers: HeadersFor;
  readonly signal: AbortSignal;
}

export type HeadersFor = (address: string) => Readonly<Record<string, string>>;

export interface Large {
  readonly url: string;
  /** Undefined when the server does not say. */
  readonly size: number | undefined;
}

export class Origin {
  readonly client: HttpClient;
  readonly headers: HeadersFor;
  readonly #bases: Readonly<Record<Side, readonly Base[]>>;
  /** Large answers one after the other: eight of 128 MiB at once would not fit into the memory of a small host. */
  #turn: Promise<unknown> = Promise.resolve();
  #bytes = 0;
  #requests = 0;

  constructor(settings: OriginSettings) {
    setMaxListeners(0, settings.signal);
    this.client = settings.client;
    this.headers = settings.headers;
    this.#bases = {
      metadata: settings.urls.map((url) => baseOf(url, settings.headers)),
      content: settings.contentUrls.map((url) => baseOf(url, settings.headers)),
    };
  }

  /** Bytes of bodies received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get requests(): number {
    return this.#requests;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * A whole file of at most `limit` bytes; undefined when it is absent (404, 403, 410).
   * @throws HttpError TOO_LARGE and whatever keeps it from being received
   */
  async get(side: Side, path: string, limit: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (limit <= SMALL) return this.small(side, path, limit, signal);
    try {
      return await this.small(side, path, SMALL, signal);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      return this.inTurn(() => this.small(side, path, limit, signal));
    }
  }

  /** The same for what shall go another way when it is larger: that is TOO_LARGE at once. */
  async small(side: Side, path: string, limit: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.eachBase(side, async ({ before, after, headers }) => {
      this.#requests++;
      const found = await this.client.getDocument(`${before}${path}${after}`, { limit, headers, signal });
      if (found.kind === 'unchanged') throw new Error('unreachable: unchanged without a condition');
      this.#bytes += found.bytes.length;
      return found.bytes;
    });
  }

  /**
   * A whole file into memory that is used again for the next one: for tens of thousands of files. False: it is absent.
   * @throws OriginTooLarge when it does not fit; what has come by then is in the memory
   */
  async receive(side: Side, path: string, into: Scratch, signal: AbortSignal): Promise<boolean> {
    const found = await this.eachBase(side, async ({ before, after, headers }) => {
      this.#requests++;
      into.clear();
      await this.client.request(`${before}${path}${after}`, {
        headers,
        // Told by its head, a large one does not leave a connection's worth of memory behind when it is given up.
        onHead: (head) => into.expect(lengthOf(head) ?? 0),
        onChunk: (chunk) => into.append(chunk),
        onRestart: () => into.clear(),
        signal,
      });
      this.#bytes += into.length;
      return true;
    });
    return found ?? false;
  }

  /** Where a file is, and how large the server says that it is. Undefined when it is absent. */
  async locate(side: Side, path: string, signal: AbortSignal): Promise<Large | undefined> {
    return this.eachBase(side, async ({ before, after, headers }) => {
      this.#requests++;
      const url = `${before}${path}${after}`;
      const head = await this.client.request(url, { method: 'HEAD', headers, signal });
      return { url, size: lengthOf(head) };
    });
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined); // whoever asked hears of it
    return done;
  }

  /** Absent only when no mirror has it; else what the last one failed with. */
  async eachBase<T>(side: Side, ask: (base: Base) => Promise<T>): Promise<T | undefined> {
    let failure: unknown;
    for (const base of this.#bases[side]) {
      try {
        return await ask(base);
      } catch (error) {
        if (!(error instanceof HttpError) || isTooLarge(error)) throw error;
        if (!isAbsent(error)) failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }
}

function lengthOf({ headers }: Head): number | undefined {
  const length = headers.get('content-length');
  return length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined;
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof HttpError && error.code === 'TOO_LARGE';
}

/** As object stores say it, too: they answer 403 for what nobody may know to be absent. */
function isAbsent(error: HttpError): boolean {
  return error.status === 404 || error.status === 403 || error.status === 410;
}

/** What stands before and behind the path of a file: a query stays where it is. */
interface Base {
  readonly before: string;
  readonly after: string;
  readonly headers: Readonly<Record<string, string>>;
}

function baseOf(address: string, headers: HeadersFor): Base {
  const url = new URL(address);
  const { search } = url;
  url.search = '';
  url.hash = '';
  return { before: url.href.endsWith('/') ? url.href : `${url.href}/`, after: search, headers: headers(address) };
}
