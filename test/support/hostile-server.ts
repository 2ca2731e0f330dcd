/**
 * A web server that misbehaves on demand, in the test's own process. A path without behaviour is served properly from
 * `files`, with ETag, Last-Modified, Range, If-Range and If-None-Match, so one server can turn bad and good again.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

type Bytes = Uint8Array | string;

interface Common {
  /** Instead of the file of that path. */
  readonly body?: Bytes | undefined;
  /** Added to, or instead of, the proper ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What happens to one request. `after` counts bytes of the body that are still sent properly. */
export type Behaviour =
  | (Common & { readonly kind: 'serve' })
  /** A status with a body of its own, e.g. an error page with 200, 429 with `retry-after`, 410. */
  | (Common & { readonly kind: 'status'; readonly status: number })
  /** The connection ends after so many bytes, properly (`truncate`) or with a reset. */
  | (Common & { readonly kind: 'truncate' | 'reset'; readonly after: number })
  /** Nothing more comes, and the connection stays open; without `after` not even headers. */
  | (Common & { readonly kind: 'stall'; readonly after?: number })
  /** So many bytes at a time: by default one a second. */
  | (Common & { readonly kind: 'drip'; readonly bytes?: number; readonly everyMs?: number })
  /** `Content-Length` says something else than is sent; the connection is closed after the body. */
  | (Common & { readonly kind: 'wrong-length'; readonly length: number })
  /** No `Content-Length`: chunked, or delimited by the end of the connection. */
  | (Common & { readonly kind: 'chunked' | 'until-close' })
  | (Common & { readonly kind: 'ignore-range' })
  /** 206 beginning so many bytes beside the wanted offset, or with another total in it. */
  | (Common & { readonly kind: 'wrong-range'; readonly shift?: number; readonly total?: number })
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** A body without end, chunked, until the client goes away. */
  | { readonly kind: 'endless'; readonly headers?: Readonly<Record<string, string>> }
  /** Anything else. */
  | { readonly kind: 'custom'; readonly handle: (request: IncomingMessage, response: ServerResponse) => void };

export interface RecordedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The client's port: equal ports mean one connection. */
  readonly port: number | undefined;
  readonly atMs: number;
  /** Bytes of the body handed to the connection so far; what sits in socket buffers counts. */
  bytesSent: number;
}

export interface HostileServerOptions {
  /** Paths (`/store/abc`) to contents, or a directory. */
  readonly files?: ReadonlyMap<string, Bytes> | string | undefined;
  /** Paths of PEM files; the server then speaks https only. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export interface HostileServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  /** A list is used up one by one, its last element for ever; an empty list makes the path behave again. */
  route(path: string, behaviour: Behaviour | readonly Behaviour[]): void;
  requestsFor(path: string): readonly RecordedRequest[];
  close(): Promise<void>;
}

export const LAST_MODIFIED = 'Mon, 01 Jan 2024 00:00:00 GMT';

export function etagOf(body: Bytes): string {
  return `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
}

export async function startHostileServer({ files, tls }: HostileServerOptions = {}): Promise<HostileServer> {
  const requests: RecordedRequest[] = [];
  const routes = new Map<string, Behaviour[]>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers, socket } = request;
    const record = { method, url, headers, port: socket.remotePort, atMs: performance.now(), bytesSent: 0 };
    requests.push(record);
    request.resume();
    response.on('error', () => undefined); // the client may go away at any moment
    const path = url.split('?')[0] ?? '';
    const list = routes.get(path) ?? [];
    const behaviour = (list.length > 1 ? list.shift() : list[0]) ?? { kind: 'serve' };
    perform(behaviour, { request, response, record, file: () => readFile(files, path) });
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a listening TCP server
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    route: (path, behaviour) => void routes.set(path, [behaviour].flat()),
    requestsFor: (path) => requests.filter(({ url }) => url.split('?')[0] === path),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

interface Scene {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: RecordedRequest;
  readonly file: () => Buffer | undefined;
}

function readFile(files: HostileServerOptions['files'], path: string): Buffer | undefined {
  if (typeof files !== 'string') {
    const found = files?.get(path);
    return found === undefined ? undefined : Buffer.from(found);
  }
  const name = join(files, normalize(`/${decodeURIComponent(path)}`));
  return existsSync(name) && statSync(name).isFile() ? readFileSync(name) : undefined;
}

function perform(behaviour: Behaviour, scene: Scene): void {
  const { response, record } = scene;
  switch (behaviour.kind) {
    case 'custom':
      return behaviour.handle(scene.request, response);
    case 'redirect':
      response.writeHead(behaviour.status ?? 302, { location: behaviour.to, 'content-length': '0' });
      return void response.end();
    case 'endless':
      return endless(behaviour.headers ?? {}, scene);
    case 'status': {
      const body = Buffer.from(behaviour.body ?? '');
      response.writeHead(behaviour.status, present({ 'content-length': String(body.length), ...behaviour.headers }));
      record.bytesSent += body.length;
      return void response.end(body);
    }
    default:
      return answer(behaviour, scene);
  }
}

type Answering = Exclude<Behaviour, { readonly kind: 'custom' | 'redirect' | 'endless' | 'status' }>;

function answer(behaviour: Answering, { request, response, record, file }: Scene): void {
  if (behaviour.kind === 'stall' && behaviour.after === undefined) return;
  const whole = behaviour.body === undefined ? file() : Buffer.from(behaviour.body);
  if (whole === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain', 'content-length': '12' });
    return void response.end('no such file');
  }
  const proper = properAnswer(behaviour, request, whole);
  const headers = { ...proper.headers, ...behaviour.headers };
  if (behaviour.kind === 'chunked' || behaviour.kind === 'until-close') headers['content-length'] = undefined;
  if (behaviour.kind === 'until-close') response.useChunkedEncodingByDefault = false;
  if (behaviour.kind === 'until-close' || behaviour.kind === 'wrong-length') headers['connection'] = 'close';
  if (behaviour.kind === 'wrong-length') headers['content-length'] = String(behaviour.length);
  response.writeHead(proper.status, present(headers));
  if (request.method === 'HEAD' || proper.status === 304) return void response.end();
  const { body } = proper;
  const write = (bytes: Uint8Array, then?: () => void): void => {
    record.bytesSent += bytes.length;
    response.write(bytes, then);
  };
  switch (behaviour.kind) {
    case 'truncate':
      return write(body.subarray(0, behaviour.after), () => response.socket?.end());
    case 'reset':
      return write(body.subarray(0, behaviour.after), () => response.socket?.resetAndDestroy());
    case 'stall':
      response.flushHeaders();
      return write(body.subarray(0, behaviour.after));
    case 'drip':
      return drip(body, behaviour.bytes ?? 1, behaviour.everyMs ?? 1000, response, write);
    case 'wrong-length':
      return write(body, () => response.socket?.end());
    default:
      record.bytesSent += body.length;
      return void response.end(body);
  }
}

interface Proper {
  readonly status: number;
  readonly headers: Record<string, string | undefined>;
  readonly body: Buffer;
}

/** As nginx would do it, except for what the behaviour wants wrong about ranges. */
function properAnswer(behaviour: Answering, request: IncomingMessage, whole: Buffer): Proper {
  const given = behaviour.headers ?? {};
  const etag = 'etag' in given ? given['etag'] : etagOf(whole);
  const modified = 'last-modified' in given ? given['last-modified'] : LAST_MODIFIED;
  const headers = { etag, 'last-modified': modified, 'accept-ranges': 'bytes' };
  const { range, 'if-none-match': known } = request.headers;
  const condition = request.headers['if-range']?.toString();
  if (known !== undefined && known === etag) return { status: 304, headers, body: Buffer.alloc(0) };
  const complete = { status: 200, headers: { ...headers, 'content-length': String(whole.length) }, body: whole };
  const [, first] = /^bytes=([0-9]+)-$/.exec(range ?? '') ?? [];
  const isStale =
    condition !== undefined && (condition.startsWith('W/') || (condition !== etag && condition !== modified));
  if (first === undefined || isStale || behaviour.kind === 'ignore-range') return complete;
  const { shift = 0, total = whole.length } = behaviour.kind === 'wrong-range' ? behaviour : {};
  const start = Number(first) + shift;
  if (start >= whole.length) {
    const unsatisfied = { ...headers, 'content-range': `bytes */${whole.length}`, 'content-length': '0' };
    return { status: 416, headers: unsatisfied, body: Buffer.alloc(0) };
  }
  const body = whole.subarray(start);
  const contentRange = `bytes ${start}-${whole.length - 1}/${total}`;
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange, 'content-length': String(body.length) },
    body,
  };
}

function present(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function drip(
  body: Buffer,
  size: number,
  everyMs: number,
  response: ServerResponse,
  write: (bytes: Uint8Array) => void,
): void {
  response.flushHeaders();
  let offset = 0;
  const timer = setInterval(() => {
    write(body.subarray(offset, offset + size));
    offset += size;
    if (offset >= body.length) response.end();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}

function endless(headers: Readonly<Record<string, string>>, { response, record }: Scene): void {
  const chunk = Buffer.alloc(64 * 1024, 'endless ');
  response.writeHead(200, { ...headers });
  const pump = (): void => {
    if (response.destroyed) return;
    record.bytesSent += chunk.length;
    if (response.write(chunk)) setImmediate(pump);
    else response.once('drain', pump);
  };
  pump();
}
