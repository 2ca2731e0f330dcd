/** One try of a request: its redirects followed, every unwanted status an error. */

import type { Transport } from '../connection/transport.ts';
import { HttpError } from '../error.ts';
import { exchange, type Head, type Limits, type Outgoing, type Receiver } from './exchange.ts';
import { MESSAGE_LIMIT, statusError } from './message.ts';
import { followRedirect, isRedirect, MAX_REDIRECTS, refused } from './redirect.ts';

export interface Sender extends Limits {
  readonly transport: Transport;
}

export interface Sending extends Outgoing {
  /** Which statuses are an answer. */
  readonly accepts: (status: number) => boolean;
}

/** Thrown by a receiver of ours that has read enough of a body nobody needs. */
const ENOUGH = Symbol('enough');

/** The receiver only sees the head and the body of the accepted response. */
export async function send(sender: Sender, sending: Sending, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  let outgoing: Outgoing = sending;
  for (;;) {
    if (seen.has(outgoing.url.href)) throw refused(outgoing.url, 'redirects in a circle');
    if (seen.size > MAX_REDIRECTS) throw refused(sending.url, `more than ${MAX_REDIRECTS} redirects`);
    seen.add(outgoing.url.href);
    const answer = await sendOnce(sender, outgoing, sending.accepts, receiver, signal);
    if (answer === undefined) return;
    if (!isRedirect(answer.head.status)) throw statusError(answer.head, answer.body);
    outgoing = followRedirect(outgoing, answer.head);
  }
}

interface Rejected {
  readonly head: Head;
  readonly body: Uint8Array;
}

/** What was not accepted, with the beginning of its body; undefined when the receiver has got everything. */
async function sendOnce(
  { transport, ...limits }: Sender,
  outgoing: Outgoing,
  accepts: (status: number) => boolean,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<Rejected | undefined> {
  const dispatcher = await transport.dispatcherFor(outgoing.url);
  let rejected: Head | undefined;
  let body = Buffer.alloc(0);
  const sorter: Receiver = {
    onHead(head) {
      rejected = accepts(head.status) ? undefined : head;
      if (rejected === undefined) receiver.onHead(head);
    },
    onChunk(chunk) {
      if (rejected === undefined) return receiver.onChunk(chunk);
      body = Buffer.concat([body, chunk.subarray(0, MESSAGE_LIMIT - body.length)]);
      if (body.length === MESSAGE_LIMIT) throw ENOUGH;
    },
  };
  try {
    await exchange(dispatcher, limits, outgoing, sorter, signal);
  } catch (error) {
    // The status is known: that its explanation was too long or broke off does not matter.
    if (rejected === undefined || !(error === ENOUGH || error instanceof HttpError)) throw error;
  }
  return rejected === undefined ? undefined : { head: rejected, body };
}
