/** A body of known size, carried on where it broke off. */
import { decodeDecimal } from '../../base/decode.ts';
import { parseTarget, showUrl } from '../connection/url.ts';
import { HttpError, type HttpErrorCode, isWorthRetrying } from '../error.ts';
import type { Head, Receiver } from '../exchange/exchange.ts';
import { Retries } from '../exchange/retry.ts';
import { send } from '../exchange/send.ts';
import { type Headers, requestHeaders, type Session } from '../session.ts';
import { parseContentRange } from './content-range.ts';
import { rangeValidator } from './validator.ts';

export interface DownloadOptions {
  /** Of the whole body. */
  readonly size: number;
  /** So many bytes are there from an earlier call. When it equals `size` nothing is requested. */
  readonly offset: number;
  /** The address can never hold anything else, as one with a digest in it: carried on without a validator. */
  readonly immutable?: boolean | undefined;
  readonly headers?: Headers | undefined;
  /** The chunk is only valid until this returns, or its promise settles; what it throws ends the download. */
  onChunk(chunk: Uint8Array): void | Promise<void>;
  /** Forget everything so far, also what was there before the call: the next chunk begins at byte 0. */
  onRestart(): void;
  readonly signal: AbortSignal;
}

/** Less than this between two failures is no progress: at a byte per try a server could keep us for ever. */
const PROGRESS = 64 * 1024;

/** That the parts belong to one file is for the caller to verify, by a digest over the whole. */
export async function download(session: Session, address: URL | string, options: DownloadOptions): Promise<void> {
  const { signal } = options;
  signal.throwIfAborted();
  const target = parseTarget(address);
  const headers = requestHeaders(session, target, options.headers);
  const accepts = (status: number): boolean => status === 200 || status === 206;
  const retries = new Retries(session);
  const transfer = new Transfer(options, session.settings.onNote);
  while (!transfer.complete) {
    try {
      const asked = { ...headers, ...transfer.rangeHeaders() };
      await send(session, { method: 'GET', url: target.url, headers: asked, accepts }, transfer, signal);
      transfer.finish();
    } catch (error) {
      if (transfer.complete && isWorthRetrying(error)) return; // lost after the last byte: nothing is missing
      if (transfer.startsOverAfter(error)) continue;
      if (transfer.hasProgressed()) retries.reset();
      await retries.after(error, signal);
      transfer.prepareNextTry();
    }
  }
}

/** Where a download stands; receives one response after the other. */
class Transfer implements Receiver {
  readonly #options: DownloadOptions;
  readonly #onNote: (text: string) => void;
  #offset: number;
  /** The farthest byte ever reached, at the last failure: going over old ground again is no progress. */
  #farthest: number;
  #head: Head | undefined;
  #validator: string | undefined;
  #rangesFailed = false;

  constructor(options: DownloadOptions, onNote: (text: string) => void) {
    this.#options = options;
    this.#onNote = onNote;
    this.#offset = options.offset;
    this.#farthest = options.offset;
  }

  get complete(): boolean {
    return this.#offset === this.#options.size;
  }

  /** Without `If-Range` only for the bytes of an earlier call, of which no validator is known. */
  rangeHeaders(): Headers {
    if (this.#offset === 0) return {};
    const condition = this.#validator === undefined ? {} : { 'if-range': this.#validator };
    return { range: `bytes=${this.#offset}-`, ...condition };
  }

  onHead(head: Head): void {
    if (head.status === 206) this.#checkRange(head);
    else this.#checkWhole(head);
    this.#head = head;
    this.#validator = this.#options.immutable === true ? undefined : rangeValidator(head);
  }

  onChunk(chunk: Uint8Array): void | Promise<void> {
    const { size, onChunk } = this.#options;
    if (this.#offset + chunk.length > size) throw this.#error('HTTP_LENGTH', `more than the expected ${size} bytes`);
    const busy = onChunk(chunk);
    this.#offset += chunk.length;
    return busy;
  }

  /** The response came to its end in good order: did it bring everything? */
  finish(): void {
    if (this.complete) return;
    const found = `the body ends after ${this.#offset} of ${this.#options.size} bytes`;
    const isFinal = this.#head?.status === 200 && this.#head.headers.has('transfer-encoding');
    throw this.#error(isFinal ? 'HTTP_LENGTH' : 'HTTP_INTERRUPTED', found); // else cut off, or a part of the range only
  }

  /** A server that cannot do ranges after all is asked once more, for everything. */
  startsOverAfter(error: unknown): boolean {
    if (!(error instanceof HttpError) || this.#rangesFailed) return false;
    if (error.code !== 'HTTP_RANGE' && !(error.status === 416 && this.#offset > 0)) return false;
    this.#rangesFailed = true;
    this.#startOver(error.message);
    return true;
  }

  hasProgressed(): boolean {
    const gained = this.#offset - this.#farthest;
    if (gained < PROGRESS) return false;
    this.#farthest = this.#offset;
    return true;
  }

  /** What this call has received can only be carried on if a later response can be told to be of the same file. */
  prepareNextTry(): void {
    if (this.#head === undefined || this.#validator !== undefined || this.#options.immutable === true) return;
    this.#startOver('the server gives neither a strong ETag nor a date to resume by');
  }

  #checkRange(head: Head): void {
    const { size } = this.#options;
    const range = parseContentRange(head.headers.get('content-range'));
    const wanted = `bytes ${this.#offset}-${size - 1}/${size}`;
    if (range?.start !== this.#offset || range.end >= size || (range.total ?? size) !== size) {
      throw this.#error('HTTP_RANGE', `expected ${wanted}, found another range`, head);
    }
    const validator = rangeValidator(head);
    if (this.#validator?.startsWith('"') && validator?.startsWith('"') && validator !== this.#validator) {
      throw this.#error('HTTP_RANGE', 'a range of another version of the file', head);
    }
  }

  #checkWhole(head: Head): void {
    const { size } = this.#options;
    const text = head.headers.get('content-length');
    if (text !== undefined && decodeDecimal(text) !== size) {
      throw this.#error('HTTP_LENGTH', `expected ${size} bytes, found Content-Length ${text.slice(0, 20)}`, head);
    }
    this.#startOver('the server sends the whole file again');
  }

  #startOver(why: string): void {
    this.#validator = undefined;
    if (this.#offset === 0) return;
    this.#onNote(`${why}; starting over`);
    this.#offset = 0;
    this.#options.onRestart();
  }

  #error(code: HttpErrorCode, text: string, head = this.#head): HttpError {
    const subject = head === undefined ? undefined : showUrl(head.url);
    return new HttpError(code, `${subject ?? 'download'}: ${text}`, { subject });
  }
}
