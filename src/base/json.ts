/**
 * The conventions of every JSON document that a program of this project prints: `schema` first, camelCase keys,
 * sizes in bytes, times in RFC 3339 UTC, digests as `sha256:HEX`, and no field is ever renamed.
 */
import { CodedError, codeOf, explain } from './error.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** One document, ready to print: a newline ends it. */
export function formatDocument(schema: string, body: { readonly [key: string]: Json | undefined }): string {
  return `${JSON.stringify({ schema, ...body }, null, 2)}\n`;
}

/** Bytes as a JSON number; a size beyond 2^53-1 would lose digits, so it becomes a string of decimals. */
export function jsonSize(bytes: bigint | number): number | string {
  return bytes <= Number.MAX_SAFE_INTEGER ? Number(bytes) : String(bytes);
}

/** Seconds are enough for people and sort as text; milliseconds since the epoch come in. */
export function jsonTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** A time that `jsonTime` (or another RFC 3339 writer, in UTC) wrote, in milliseconds; anything else is undefined. */
export function decodeTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) return undefined;
  const value = Date.parse(text);
  // A day or an hour that does not exist is taken for the next one.
  return !Number.isNaN(value) && jsonTime(value) === `${text.slice(0, 19)}Z` ? value : undefined;
}

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly subject: string | null;
}

/** The fields of an `error/1` document, also used wherever a larger document holds an error. */
export function describeError(error: unknown): ErrorDocument & { readonly [key: string]: Json } {
  const coded = error instanceof CodedError ? error : undefined;
  return {
    code: codeOf(error) ?? 'UNEXPECTED',
    message: explain(error),
    hint: coded?.hint ?? null,
    subject: coded?.subject ?? null,
  };
}
