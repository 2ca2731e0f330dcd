/** A status that is not the wanted one, with what the server says about it. */
import { decodeUtf8 } from '../../base/decode.ts';
import { printable } from '../../base/text.ts';
import { showUrl } from '../connection/url.ts';
import { HttpError, type HttpErrorCode } from '../error.ts';
import type { Head } from './exchange.ts';
import { parseRetryAfter } from './retry-after.ts';

/** So much of an error page is read, then the connection is cut. */
export const MESSAGE_LIMIT = 4096;
const SHOWN = 200;

export function statusError({ status, headers, url }: Head, body: Uint8Array): HttpError {
  const text = serverMessage(headers.get('content-type') ?? '', body);
  const subject = showUrl(url);
  return new HttpError(codeFor(status), `${subject}: status ${status}${text === '' ? '' : `: ${text}`}`, {
    status,
    subject,
    retryAfterMs: parseRetryAfter(headers.get('retry-after')),
  });
}

function codeFor(status: number): HttpErrorCode {
  if (status === 410) return 'HTTP_GONE';
  if (status === 404) return 'HTTP_NOT_FOUND';
  if (status === 401 || status === 403) return 'HTTP_DENIED';
  if (status === 407) return 'HTTP_BAD_PROXY';
  return status === 429 || status >= 500 ? 'HTTP_UNAVAILABLE' : 'HTTP_STATUS';
}

/** The first line of plain text, or the message in a JSON error; pages of HTML say nothing in one line. */
function serverMessage(type: string, body: Uint8Array): string {
  const kind = (type.split(';')[0] ?? '').trim().toLowerCase();
  const text = decodeUtf8(body) ?? Buffer.from(body).toString('latin1');
  const isJson = kind === 'application/json' || kind.endsWith('+json');
  if (!isJson && kind !== 'text/plain') return '';
  const message = (isJson ? jsonMessage(text) : undefined) ?? text;
  const line = message.split(/[\r\n]+/).find((candidate) => candidate.trim() !== '') ?? '';
  const characters = [...line.trim()];
  return printable(characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}…` : characters.join(''));
}

/** `{"errors":[{"message"}]}` of registries, or `{"message"}`, `{"error"}`, `{"detail"}` of others. */
function jsonMessage(text: string): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined; // cut off, or not JSON at all: its first line is shown as it is
  }
  const errors = field(document, 'errors');
  const first = Array.isArray(errors) ? errors[0] : undefined;
  const found = [field(first, 'message'), ...['message', 'error', 'detail'].map((name) => field(document, name))];
  return found.find((value): value is string => typeof value === 'string' && value !== '');
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}
