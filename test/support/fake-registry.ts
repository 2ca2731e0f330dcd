/**
 * A registry in the test's own process (distribution specification 1.1) that misbehaves on demand and counts bytes.
 * Without faults it is a proper one: curl, skopeo and podman work with it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Access, type Authentication } from './fake-registry/access.ts';
import { type Answer, deliver, type Fault, type FaultRule, Faults, failure } from './fake-registry/faults.ts';
import { type Abilities, answerTo, placeOf, rightsOf } from './fake-registry/routes.ts';
import { Store } from './fake-registry/store.ts';

export type { Authentication, Fault, FaultRule };

export interface FakeRegistryOptions extends Abilities {
  /** Paths of PEM files: https only. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly auth?: Authentication | undefined;
}

export interface RegistryRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** 0 until there is an answer. Of a fault, that of the fault. */
  status: number;
  /** Bytes of the answer's body handed to the connection so far. */
  bytesSent: number;
  /** Bytes of the request's body that have arrived so far. */
  bytesReceived: number;
}

export interface FakeRegistry {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  /** With `http://` or `https://` before it. */
  readonly url: string;
  readonly port: number;
  /** What it holds; to be filled and looked at directly. */
  readonly store: Store;
  readonly requests: readonly RegistryRequest[];
  /** The rule given first wins while it lasts. */
  fault(rule: FaultRule, fault: Fault): void;
  /** All is well again. */
  heal(): void;
  /** Every token that was given out is refused from now on. */
  expireTokens(): void;
  /** Requests whose path and query contain or match this; of one method, when given. */
  requestsFor(path: string | RegExp, method?: string): readonly RegistryRequest[];
  /** Sums of the bodies of those. */
  bytesSent(path: string | RegExp): number;
  bytesReceived(path: string | RegExp): number;
  close(): Promise<void>;
}

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const { tls, auth } = options;
  const store = new Store();
  const faults = new Faults();
  const requests: RegistryRequest[] = [];
  let url = '';
  const access = new Access(auth, () => url);
  const scene: Scene = { store, faults, access, options };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const record = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      status: 0,
      bytesSent: 0,
      bytesReceived: 0,
    };
    requests.push(record);
    response.on('error', () => undefined); // the client may go away at any moment
    request.on('error', () => undefined);
    serve(request, response, record, scene).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a listening TCP server
  url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const requestsFor = (path: string | RegExp, method?: string): readonly RegistryRequest[] =>
    requests.filter(
      (one) =>
        (method === undefined || one.method === method) &&
        (typeof path === 'string' ? one.url.includes(path) : path.test(one.url)),
    );
  const sum = (path: string | RegExp, count: (one: RegistryRequest) => number): number =>
    requestsFor(path).reduce((total, one) => total + count(one), 0);
  return {
    host: `127.0.0.1:${port}`,
    url,
    port,
    store,
    requests,
    fault: (rule, fault) => faults.add(rule, fault),
    heal: () => faults.clear(),
    expireTokens: () => access.expireTokens(),
    requestsFor,
    bytesSent: (path) => sum(path, (one) => one.bytesSent),
    bytesReceived: (path) => sum(path, (one) => one.bytesReceived),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

interface Scene {
  readonly store: Store;
  readonly faults: Faults;
  readonly access: Access;
  readonly options: FakeRegistryOptions;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  record: RegistryRequest,
  scene: Scene,
): Promise<void> {
  const { method } = record;
  const fault = scene.faults.take(method, record.url);
  if (fault?.kind === 'custom') return fault.handle(request, response);
  const received = await bodyOf(request, record, fault);
  if (received === undefined) return;
  const isRefused = fault?.kind === 'status' || fault?.kind === 'redirect';
  const url = new URL(record.url, 'http://registry.test');
  const answer = isRefused ? { status: 500 } : proper(request, url, received, request.complete, fault, scene);
  if (!request.complete) return void request.socket.resetAndDestroy();
  const sent = (bytes: number): void => {
    record.bytesSent += bytes;
  };
  deliver(answer, fault, { method, response, sent });
  record.status = response.statusCode;
}

/** What has arrived, whole or not; undefined when it counts for nothing and there is no answer. */
async function bodyOf(
  request: IncomingMessage,
  record: RegistryRequest,
  fault: Fault | undefined,
): Promise<Buffer | undefined> {
  const limit =
    fault?.kind === 'reset-upload' || fault?.kind === 'stall-upload' ? fault.after : Number.POSITIVE_INFINITY;
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    request.once('close', resolve);
    request.once('end', resolve);
    request.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, Math.max(limit - record.bytesReceived, 0));
      record.bytesReceived += kept.length;
      chunks.push(kept);
      if (record.bytesReceived < limit) return;
      request.pause();
      resolve();
    });
  });
  if (fault?.kind === 'stall-upload') return undefined;
  if (fault?.kind !== 'reset-upload') return Buffer.concat(chunks);
  if (fault.forget !== true) return Buffer.concat(chunks);
  request.socket.resetAndDestroy();
  return undefined;
}

function proper(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  isWhole: boolean,
  fault: Fault | undefined,
  { store, access, options }: Scene,
): Answer {
  const method = request.method ?? '';
  const { authorization } = request.headers;
  const asked = { method, url, authorization, body: body.toString('latin1') };
  if (url.pathname === '/token') return access.token(asked);
  if (/^\/v2\/?$/.test(url.pathname)) return access.refusal(asked, []) ?? { status: 200, body: '{}' };
  const place = placeOf(url.pathname);
  if (place === undefined) return failure(404, 'NOT_FOUND', 'no such path');
  const refusal = access.refusal(asked, rightsOf({ method, url }, place));
  if (refusal !== undefined) return refusal;
  const { headers } = request;
  // Of a request that was cut off, a part of an upload is kept, as docker-registry keeps it; anything else is nothing.
  if (!isWhole && method !== 'PATCH') return { status: 400 };
  const cut = isWhole ? headers : { 'content-range': headers['content-range'] };
  return answerTo(
    { method, url, headers: cut, body, ignoreRange: fault?.kind === 'ignore-range' },
    place,
    store,
    options,
  );
}
