/** Sockets, limits, and an orderly end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { codeOf, explain } from '../../base/error.ts';
import { OstreeError, type Repository } from '../../ostree/index.ts';
import { WebError } from './error.ts';
import type { ExternalObjects } from './external-objects.ts';
import { handle, type Site } from './handler.ts';
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
import { formatHostPort, type Listen } from './listen-address.ts';
import { openPages } from './pages/pages.ts';

export interface ServeOptions {
  /** Of mode archive; it stays open for as long as is served. Nothing is written. */
  readonly repository: Repository;
  /** At least one. */
  readonly listen: readonly Listen[];
  readonly limits?: Partial<ServerLimits> | undefined;
  /** Content that is rebuilt on request. */
  readonly external?: ExternalObjects | undefined;
  /** What went wrong on our side. */
  onNote(text: string): void;
  /** A line for each request. */
  onRequest?: ((line: string) => void) | undefined;
  /** Ends it: running transfers are finished, new connections refused. */
  readonly signal: AbortSignal;
}

export interface RunningServer {
  /** `127.0.0.1:8080`, in the order of `listen`. */
  readonly addresses: readonly string[];
  /** When the last transfer has ended. */
  readonly done: Promise<void>;
}

/**
 * Serve a repository below `/repo/` and pages about it. Returns when it listens.
 * @throws OstreeError REPOSITORY_MODE; WebError LISTEN_FAILED
 */
export async function serveRepository(options: ServeOptions): Promise<RunningServer> {
  const { repository, signal } = options;
  if (repository.mode !== 'archive') {
    throw new OstreeError(
      'REPOSITORY_MODE',
      `${repository.path}: of mode ${repository.mode}, clients can pull from archive only`,
      {
        hint: 'pull it into a repository made with "ostree-container repo init --mode=archive", and serve that',
        subject: repository.path,
      },
    );
  }
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { external, onNote, onRequest } = options;
  const pages = openPages(repository);
  const site: Site = { repository, pages, external, limits, onNote, ...(onRequest && { onRequest }) };
  const running = new Set<Promise<void>>();
  const onRequestOf = (request: IncomingMessage, response: ServerResponse): void => {
    if (signal.aborted) response.setHeader('Connection', 'close');
    const work = handle(site, request, response);
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  const servers: Server[] = [];
  try {
    for (const listen of options.listen) {
      const server = await openServer(listen, limits, onRequestOf, onNote).catch((error) => absent(listen, error));
      if (server !== undefined) servers.push(server);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return { addresses: servers.map(addressOf), done: endOf(servers, running, signal) };
}

function absent(listen: Listen, error: unknown): undefined {
  const cause = error instanceof WebError ? codeOf(error.cause) : undefined;
  const isAbsent = cause === 'EAFNOSUPPORT' || cause === 'EADDRNOTAVAIL';
  if (listen.kind !== 'address' || listen.isOptional !== true || !isAbsent) throw error;
}

async function openServer(
  listen: Listen,
  limits: ServerLimits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  onNote: (text: string) => void,
): Promise<Server> {
  const { headersTimeoutMs, requestTimeoutMs } = limits;
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
    noDelay: true,
  });
  server.maxConnections = limits.maxConnections;
  server.on('request', onRequest);
  noteDrops(server, limits, onNote);
  const what = listen.kind === 'address' ? formatHostPort(listen.host, listen.port) : `descriptor ${listen.fd}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'code' in cause && cause.code === 'EADDRINUSE' ? 'another program listens there' : undefined;
      reject(
        new WebError('LISTEN_FAILED', `cannot listen on ${what}: ${cause.message}`, { hint, cause, subject: what }),
      );
    });
    const { kind } = listen;
    // `[::]` is IPv6 alone, so that it goes together with `0.0.0.0`, whatever the system's default is.
    server.listen(
      kind === 'address' ? { host: listen.host, port: listen.port, ipv6Only: true } : { fd: listen.fd },
      resolve,
    );
  });
  server.removeAllListeners('error');
  server.on('error', (error) => onNote(`${what}: ${explain(error)}`));
  return server;
}

const NOTE_INTERVAL_MS = 60_000;

/** Said once a minute: who fills our connections shall not fill the journal, too. */
function noteDrops(server: Server, { maxConnections }: ServerLimits, onNote: (text: string) => void): void {
  let lastMs = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    if (performance.now() - lastMs < NOTE_INTERVAL_MS) return;
    lastMs = performance.now();
    onNote(`${maxConnections} connections are open: more are refused`);
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  if (typeof address === 'string') return address; // a socket of systemd in the file system
  return address === null ? '' : formatHostPort(address.address, address.port);
}

/** Node checks no time limits any more once a server is closing: what sends no request by then is not waited for. */
async function endOf(
  servers: readonly Server[],
  running: ReadonlySet<Promise<void>>,
  signal: AbortSignal,
): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
  while (running.size > 0) await Promise.allSettled([...running]);
  for (const server of servers) server.closeAllConnections();
  await Promise.all(closed);
}
