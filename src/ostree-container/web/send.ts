/** A body onto a connection, as fast as its reader takes it, and not for ever. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, PIECE } from './body.ts';
import { type Answer, answerTo } from './conditional.ts';

export interface SendLimits {
  /** A reader that does not take a piece of 64 KiB within this time is cut off: some 1 KiB a second. */
  readonly stallMs: number;
}

/** Headers, conditions, ranges and content. Closes the body. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  body: Body,
  limits: SendLimits,
): Promise<void> {
  try {
    const answer = answerTo(request.headers, body);
    const range = writeHead(response, body, answer);
    const isWanted = request.method === 'GET' && answer.kind !== 'not-modified';
    if (isWanted && range.end > range.start) await sendRange(response, body, range, limits);
    else response.end();
    await finished(response, limits);
  } finally {
    body.close();
  }
}

const YEAR_S = 365 * 24 * 60 * 60;

function writeHead(response: ServerResponse, body: Body, answer: Answer): { start: number; end: number } {
  const { size, caching } = body;
  const { start, end } = answer.kind === 'part' ? answer : { start: 0, end: answer.kind === 'whole' ? size : 0 };
  response.setHeader('ETag', body.etag);
  response.setHeader('Cache-Control', caching === 'immutable' ? `public, max-age=${YEAR_S}, immutable` : 'no-cache');
  if (body.modified !== undefined) response.setHeader('Last-Modified', body.modified.toUTCString());
  if (answer.kind === 'not-modified') {
    response.writeHead(304);
    return { start, end };
  }
  for (const [name, value] of Object.entries(body.headers ?? {})) response.setHeader(name, value);
  response.setHeader('Accept-Ranges', body.isSeekable ? 'bytes' : 'none');
  response.setHeader('Content-Type', body.type);
  response.setHeader('Content-Length', end - start);
  if (answer.kind === 'part') response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  if (answer.kind === 'unsatisfiable') response.setHeader('Content-Range', `bytes */${size}`);
  response.writeHead(STATUS[answer.kind]);
  return { start, end };
}

const STATUS = { whole: 200, part: 206, unsatisfiable: 416 } as const;

async function sendRange(
  response: ServerResponse,
  body: Body,
  { start, end }: { readonly start: number; readonly end: number },
  limits: SendLimits,
): Promise<void> {
  let left = end - start;
  try {
    for await (const chunk of body.chunks(start, end)) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        left -= piece.length;
        if (left <= 0) {
          response.end(left === 0 ? piece : piece.subarray(0, piece.length + left));
          return;
        }
        if (!response.write(piece)) await drained(response, limits);
        if (response.destroyed) return;
      }
    }
    response.destroy(); // shorter than it said: the reader must not take it for the whole
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function drained(response: ServerResponse, limits: SendLimits): Promise<void> {
  if (!response.destroyed) await eventOrStall(response, 'drain', limits);
}

async function finished(response: ServerResponse, limits: SendLimits): Promise<void> {
  if (!response.destroyed && !response.writableFinished) await eventOrStall(response, 'finish', limits);
}

/** Until the event, until the reader has gone, or until its time is over: then the connection goes. */
async function eventOrStall(response: ServerResponse, event: string, { stallMs }: SendLimits): Promise<void> {
  const settled = new AbortController();
  const timer = setTimeout(() => response.destroy(), stallMs);
  try {
    await Promise.race([
      once(response, event, { signal: settled.signal }),
      once(response, 'close', { signal: settled.signal }),
    ]);
  } finally {
    clearTimeout(timer);
    settled.abort();
  }
}
