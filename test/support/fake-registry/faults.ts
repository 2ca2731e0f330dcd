/** Answers of the registry, and what can go wrong with them on the way. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a registry that works would answer. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: Uint8Array | string | undefined;
}

/** What happens to one request. `after` counts bytes of the answer's body that are still sent. */
export type Fault =
  /** Nothing is done, and this is the answer: 429 with `retry-after`, 500, HTML with 200. `code` makes a body in the registry's form. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: Uint8Array | string;
    }
  /** The connection ends in the middle, properly or with a reset. */
  | { readonly kind: 'truncate' | 'reset'; readonly after: number }
  /** Nothing more comes, and the connection stays open; without `after` not even headers. */
  | { readonly kind: 'stall'; readonly after?: number }
  | { readonly kind: 'drip'; readonly bytes?: number; readonly everyMs?: number }
  /** A body without end, until the client goes away. */
  | { readonly kind: 'endless' }
  /** Another body under the same headers: another digest, or a truncated manifest. */
  | { readonly kind: 'replace'; readonly body: Uint8Array | string }
  /** Added, or instead of the proper ones; undefined leaves one out. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** Nothing is done here. 307 by default. */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  | { readonly kind: 'ignore-range' }
  /** So many bytes of what the client sends arrive, and are kept (`forget`: are not), then the connection is reset. */
  | { readonly kind: 'reset-upload'; readonly after: number; readonly forget?: boolean }
  /** So many bytes are read, then no more, and there is no answer. */
  | { readonly kind: 'stall-upload'; readonly after: number }
  /** The work is done, and its answer lost: the connection is reset in its place. */
  | { readonly kind: 'lose-answer' }
  | { readonly kind: 'custom'; readonly handle: (request: IncomingMessage, response: ServerResponse) => void };

/** Which requests a fault is for. */
export interface FaultRule {
  /** Any when left out. */
  readonly method?: string | undefined;
  /** A part of path and query, or a pattern. */
  readonly path: string | RegExp;
  /** Requests that go wrong, then the rule is used up; default: all. */
  readonly times?: number | undefined;
  /** Requests that match and go well before. */
  readonly skip?: number | undefined;
}

/** The rules of a server; the first that matches has its way. */
export class Faults {
  #rules: { readonly rule: FaultRule; readonly fault: Fault; left: number; skip: number }[] = [];

  add(rule: FaultRule, fault: Fault): void {
    this.#rules.push({ rule, fault, left: rule.times ?? Number.POSITIVE_INFINITY, skip: rule.skip ?? 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  take(method: string, url: string): Fault | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && matches(rule, method, url));
    if (found === undefined) return undefined;
    if (found.skip > 0) {
      found.skip--;
      return undefined;
    }
    found.left--;
    return found.fault;
  }
}

function matches({ method, path }: FaultRule, is: string, url: string): boolean {
  if (method !== undefined && method !== is) return false;
  return typeof path === 'string' ? url.includes(path) : path.test(url);
}

/** An error as the distribution specification wants it. */
export function failure(status: number, code: string, message: string, detail?: unknown): Answer {
  const body = JSON.stringify({ errors: [{ code, message, ...(detail !== undefined && { detail }) }] });
  return { status, headers: { 'content-type': 'application/json' }, body };
}

export interface Delivery {
  readonly method: string;
  readonly response: ServerResponse;
  /** Told how many bytes of a body were handed to the connection. */
  readonly sent: (bytes: number) => void;
}

/** Send an answer, or what the fault makes of it. */
export function deliver(answer: Answer, fault: Fault | undefined, delivery: Delivery): void {
  const { response, method } = delivery;
  if (fault?.kind === 'stall' && fault.after === undefined) return;
  if (fault?.kind === 'lose-answer') return void response.socket?.resetAndDestroy();
  const { status, headers = {}, body = '' } = twisted(answer, fault);
  const bytes = Buffer.from(body);
  const all: Record<string, string | undefined> = { 'content-length': String(bytes.length), ...headers };
  if (fault?.kind === 'headers') Object.assign(all, fault.headers);
  if (status === 204 || fault?.kind === 'endless') all['content-length'] = undefined;
  response.writeHead(status, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
  if (method === 'HEAD') return void response.end();
  if (fault?.kind === 'endless') return endless(delivery);
  const write = (chunk: Uint8Array, then?: () => void): void => {
    delivery.sent(chunk.length);
    response.write(chunk, then);
  };
  switch (fault?.kind) {
    case 'truncate':
      return write(bytes.subarray(0, fault.after), () => response.socket?.end());
    case 'reset':
      return write(bytes.subarray(0, fault.after), () => response.socket?.resetAndDestroy());
    case 'stall':
      response.flushHeaders();
      return write(bytes.subarray(0, fault.after));
    case 'drip':
      return drip(bytes, fault, response, write);
    default:
      delivery.sent(bytes.length);
      response.end(bytes);
  }
}

function twisted(answer: Answer, fault: Fault | undefined): Answer {
  if (fault?.kind === 'replace') return { ...answer, body: fault.body };
  if (fault?.kind === 'redirect') return { status: fault.status ?? 307, headers: { location: fault.to } };
  if (fault?.kind !== 'status') return answer;
  const { status, headers, code, message = '', body = '' } = fault;
  const made = code === undefined ? { status, body } : failure(status, code, message);
  return { ...made, headers: { ...('headers' in made ? made.headers : {}), ...headers } };
}

function drip(
  body: Buffer,
  { bytes = 1, everyMs = 1000 }: { readonly bytes?: number; readonly everyMs?: number },
  response: ServerResponse,
  write: (bytes: Uint8Array) => void,
): void {
  response.flushHeaders();
  let offset = 0;
  const timer = setInterval(() => {
    write(body.subarray(offset, offset + bytes));
    offset += bytes;
    if (offset >= body.length) response.end();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}

function endless({ response, sent }: Delivery): void {
  const chunk = Buffer.alloc(64 * 1024, 'endless ');
  const pump = (): void => {
    if (response.destroyed) return;
    sent(chunk.length);
    if (response.write(chunk)) setImmediate(pump);
    else response.once('drain', pump);
  };
  pump();
}
