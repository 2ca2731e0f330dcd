/** Conditions and ranges of a GET. Source: RFC 9110, sections 13 and 14. */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeDecimal } from '../../base/decode.ts';
import type { Body } from './body.ts';

export type Answer =
  | { readonly kind: 'whole' }
  | { readonly kind: 'not-modified' }
  /** From `start` to before `end`. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

type Facts = Pick<Body, 'etag' | 'modified' | 'size' | 'isSeekable'>;

export function answerTo(headers: IncomingHttpHeaders, body: Facts): Answer {
  if (isNotModified(headers, body)) return { kind: 'not-modified' };
  const { range } = headers;
  if (range === undefined || !body.isSeekable || !isStillTheSame(headers['if-range'], body)) return { kind: 'whole' };
  return rangeOf(range, body.size);
}

/** With tags dates do not count. */
function isNotModified(headers: IncomingHttpHeaders, { etag, modified }: Facts): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }
  const since = dateOf(headers['if-modified-since']);
  return since !== undefined && modified !== undefined && wholeSeconds(modified) <= since;
}

/** A weak tag does not do: a part of something else would be put together with ours. */
function isStillTheSame(condition: string | string[] | undefined, { etag, modified }: Facts): boolean {
  if (condition === undefined) return true;
  const text = String(condition);
  if (text.includes('"')) return text === etag;
  return modified !== undefined && dateOf(text) === wholeSeconds(modified);
}

/** One range is answered; several, and other units, get the whole as if they had not been asked for. */
function rangeOf(header: string, size: number): Answer {
  const [, first, last] = /^bytes=\s*([0-9]*)-([0-9]*)\s*$/i.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  if (first === '') {
    const wanted = number(last);
    return wanted === 0 || size === 0 ? { kind: 'unsatisfiable' } : part(Math.max(0, size - wanted), size);
  }
  const start = number(first);
  const end = last === '' ? size : Math.min(size, number(last) + 1);
  if (last !== '' && number(last) < start) return { kind: 'whole' };
  return start >= size ? { kind: 'unsatisfiable' } : part(start, end);
}

function part(start: number, end: number): Answer {
  return { kind: 'part', start, end };
}

/** A number of more digits than we can count lies behind the end of every file. */
function number(digits: string): number {
  return decodeDecimal(digits.replace(/^0+(?=[0-9])/, '')) ?? Number.MAX_SAFE_INTEGER;
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function dateOf(text: string | undefined): number | undefined {
  // What Date.parse takes beyond the form of HTTP would be a guess.
  if (text === undefined || !/^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$/.test(text))
    return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
