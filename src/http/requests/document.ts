import { parseTarget, showUrl } from '../connection/url.ts';
import { HttpError } from '../error.ts';
import type { Head, Receiver } from '../exchange/exchange.ts';
import { withRetries } from '../exchange/retry.ts';
import { send } from '../exchange/send.ts';
import { type Headers, requestHeaders, type Session } from '../session.ts';
import { BodyBuffer } from './body-buffer.ts';
import { isEtag } from './validator.ts';

export interface DocumentOptions {
  /** More bytes than this are `TOO_LARGE`. */
  readonly limit: number;
  /** Of the copy at hand; anything that is not an entity tag is as if it were not given. */
  readonly etag?: string | undefined;
  readonly accept?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly signal: AbortSignal;
}

export type DocumentResult =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'document';
      readonly bytes: Uint8Array;
      readonly etag: string | undefined;
      /** Where it came from after redirects, without credentials. */
      readonly url: string;
    };

export function getDocument(
  session: Session,
  address: URL | string,
  { limit, etag, accept, headers = {}, signal }: DocumentOptions,
): Promise<DocumentResult> {
  return withRetries(session, signal, async () => {
    const target = parseTarget(address);
    const condition = isEtag(etag) ? { 'if-none-match': etag } : undefined;
    const wanted = accept === undefined ? {} : { accept };
    const sending = {
      method: 'GET',
      url: target.url,
      headers: requestHeaders(session, target, { ...headers, ...wanted, ...condition }),
      accepts: (status: number) => status === 200 || (status === 304 && condition !== undefined),
    };
    const { head, bytes } = await collectResponse(session, sending, limit, signal);
    if (head.status === 304) return { kind: 'unchanged' };
    const received = head.headers.get('etag');
    return { kind: 'document', bytes, etag: isEtag(received) ? received : undefined, url: head.url.href };
  });
}

/** One try, with the body in memory. */
export async function collectResponse(
  session: Session,
  sending: Parameters<typeof send>[1],
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly head: Head; readonly bytes: Uint8Array }> {
  const body = new BodyBuffer();
  let head: Head | undefined;
  const receiver: Receiver = {
    onHead(received) {
      head = received;
      const announced = sending.method === 'HEAD' ? 0 : Number(received.headers.get('content-length') ?? 0);
      if (announced > limit) throw tooLarge(received, limit);
      body.expect(announced);
    },
    onChunk(chunk) {
      if (body.length + chunk.length > limit && head !== undefined) throw tooLarge(head, limit);
      body.append(chunk);
    },
  };
  await send(session, sending, receiver, signal);
  if (head === undefined) throw new Error('unreachable: a response without a head');
  return { head, bytes: body.bytes() };
}

function tooLarge({ url }: Head, limit: number): HttpError {
  const subject = showUrl(url);
  return new HttpError('TOO_LARGE', `${subject}: larger than the limit of ${limit} bytes`, { subject });
}
