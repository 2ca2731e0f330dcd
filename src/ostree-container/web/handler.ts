/** From a request to what is sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { codeOf, explain } from '../../base/error.ts';
import { readBounded } from '../../linux/files/read.ts';
import { type Repository, readRef } from '../../ostree/index.ts';
import { type Body, textBody } from './body.ts';
import { coreConfig } from './core-config.ts';
import type { ExternalObjects } from './external-objects.ts';
import type { Pages } from './pages/pages.ts';
import { openRepositoryFile } from './repository-file.ts';
import { type SendLimits, sendBody } from './send.ts';
import { type FileRoute, parseTarget, type Route } from './target.ts';

/** What is served. */
export interface Site {
  readonly repository: Repository;
  readonly pages: Pages;
  readonly external: ExternalObjects | undefined;
  readonly limits: SendLimits;
  /** What went wrong on our side, for who runs the server. */
  onNote(text: string): void;
  /** `GET /repo/config 200`. */
  onRequest?(line: string): void;
}

/** Answers every request, whatever is asked; never rejects. */
export async function handle(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request;
  response.on('error', () => undefined); // the reader has gone: what there is to do is done where we wait for it
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  setCommonHeaders(request, response);
  try {
    await respond(site, request, response, gone.signal);
  } catch (error) {
    site.onNote(`${method} ${url}: ${explain(error)}`);
    if (response.headersSent) response.destroy();
    else await refuse(response, 500, site.limits);
  }
  site.onRequest?.(`${method} ${url} ${response.statusCode}`);
}

async function respond(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, site.limits);
  }
  const route = parseTarget(request.url ?? '');
  if (route?.kind === 'redirect') {
    response.setHeader('Location', route.location);
    return refuse(response, 301, site.limits);
  }
  const body = route && (await bodyOf(site, route, request, signal));
  if (body === undefined) return refuse(response, 404, site.limits);
  return sendBody(request, response, body, site.limits);
}

/** Pages run nothing and load nothing, and no answer is taken for another type than it says. */
function setCommonHeaders(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
  response.setHeader('Referrer-Policy', 'no-referrer');
  // What comes behind the request is not read: the connection is of no use after it.
  const hasContent =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (hasContent || (request.method !== 'GET' && request.method !== 'HEAD')) response.setHeader('Connection', 'close');
}

const TEXTS = {
  301: 'moved to /repo/\n',
  404: 'not found\n',
  405: 'method not allowed\n',
  500: 'internal error\n',
} as const;

async function refuse(response: ServerResponse, status: keyof typeof TEXTS, limits: SendLimits): Promise<void> {
  const { req: request } = response;
  response.statusCode = status;
  // The body's own headers would say that it may be kept and asked for in parts.
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(TEXTS[status]));
  if (status !== 301) response.setHeader('Cache-Control', 'no-cache');
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => response.destroy(), limits.stallMs);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    response.end(request.method === 'HEAD' ? undefined : TEXTS[status]);
  });
}

async function bodyOf(
  site: Site,
  route: Exclude<Route, { kind: 'redirect' }>,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Body | undefined> {
  switch (route.kind) {
    case 'config':
      return configBody(site.repository);
    case 'ref':
      return refBody(site.repository, route.place, route.ref);
    case 'file':
      return fileBody(site, route, signal);
    default:
      return site.pages.render(route, request.headers);
  }
}

/** Larger is no configuration. */
const CONFIG_LIMIT = 2 ** 20;

/** Read again each time: making deltas changes it. */
function configBody({ directory }: Repository): Body | undefined {
  const file = readBounded(directory, 'config', CONFIG_LIMIT);
  if (file === undefined) return undefined;
  const text = coreConfig(Buffer.from(file.bytes).toString());
  return textBody(text, { type: 'application/octet-stream', modified: file.stats.mtime });
}

/** Aliases are links inside of `refs`; they are resolved here, by the rules for refs. */
function refBody(repository: Repository, ...[place, ref]: [Parameters<typeof readRef>[1], string]): Body | undefined {
  try {
    const commit = readRef(repository, place, ref);
    if (commit === undefined) return undefined;
    return textBody(`${commit}\n`, { type: 'application/octet-stream', modified: undefined });
  } catch (error) {
    // A link that leads elsewhere, or a folder that is none: nothing that could be served.
    if (['REF_NAME', 'NOT_A_DIRECTORY', 'NOT_A_REGULAR_FILE'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function fileBody(site: Site, route: FileRoute, signal: AbortSignal): Promise<Body | undefined> {
  const caching = route.isImmutable ? 'immutable' : 'revalidate';
  const isObject = route.path[0] === 'objects';
  for (let at: Repository | undefined = site.repository; at !== undefined; at = isObject ? at.parent : undefined) {
    const body = at.mode === 'archive' ? openRepositoryFile(at.directory, route.path, { caching }) : undefined;
    if (body !== undefined) return body;
  }
  return route.content === undefined ? undefined : externalBody(site, route.content, signal);
}

async function externalBody({ external }: Site, checksum: string, signal: AbortSignal): Promise<Body | undefined> {
  const rebuilt = await external?.rebuild(checksum, signal);
  if (rebuilt === undefined) return undefined;
  return {
    size: rebuilt.size,
    type: 'application/octet-stream',
    // Another version of zlib may pack it otherwise, nearly always to another size.
    etag: `"${checksum}-${rebuilt.size.toString(36)}"`,
    modified: undefined,
    caching: 'immutable',
    isSeekable: true,
    chunks: (start, end) => rebuilt.chunks(start, end),
    close: () => rebuilt.close(),
  };
}
