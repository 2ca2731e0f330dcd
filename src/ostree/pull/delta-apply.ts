/** Fetch the parts of a static delta and carry them out, one after the other while the next one is on its way. */

import { applyPart } from '../delta/apply-part.ts';
import { deltaName } from '../delta/names.ts';
import type { DeltaPart } from '../delta/superblock.ts';
import { OstreeError } from '../error.ts';
import type { ObjectWriter } from '../storage/object-writer.ts';
import type { DeltaOffer } from './delta-choice.ts';
import type { Origin } from './origin.ts';

/** Generators begin a new part after 32 MB before compression; a single larger object still fits. */
const PART_LIMIT = 128 * 2 ** 20;

export interface ApplyPorts {
  readonly origin: Origin;
  readonly writer: ObjectWriter;
  /** Bytes of parts received so far. */
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Parts whose objects are all here are not fetched, so a delta that was broken off goes on.
 * @returns how many parts were fetched
 */
export async function applyDelta(offer: DeltaOffer, ports: ApplyPorts): Promise<number> {
  const { superblock } = offer;
  const missing = superblock.parts
    .map((part, index) => ({ part, index }))
    .filter(({ part }) => part.objects.some(({ checksum, type }) => !ports.writer.reader.has(checksum, type)));
  const begin = (at: number): Promise<Uint8Array> => {
    const fetching = fetchPart(offer, missing[at], ports);
    fetching.catch(() => undefined); // told when it is waited for, if nothing went wrong before
    return fetching;
  };
  let next = begin(0);
  for (const [i, { part, index }] of missing.entries()) {
    const file = await next;
    next = begin(i + 1);
    const what = `delta ${deltaName(superblock)} part ${index}`;
    await applyPart(ports.writer, { part, file, what }, ports.signal);
  }
  return missing.filter(({ part }) => part.inline === undefined).length;
}

async function fetchPart(
  { path, superblock }: DeltaOffer,
  wanted: { readonly part: DeltaPart; readonly index: number } | undefined,
  { origin, onBytes, signal }: ApplyPorts,
): Promise<Uint8Array> {
  if (wanted === undefined) return new Uint8Array();
  const { part, index } = wanted;
  if (part.inline !== undefined) return part.inline;
  const what = `delta ${deltaName(superblock)} part ${index}`;
  if (part.size > PART_LIMIT) throw new OstreeError('TOO_LARGE', `${what}: ${part.size} bytes`);
  // Its size is known: it need not be found out by beginning to receive it.
  const bytes = await origin.inTurn(() => origin.small('content', `${path}/${index}`, part.size, signal));
  if (bytes === undefined) throw new OstreeError('DELTA_MISSING', `${what}: not on the server`);
  onBytes(bytes.length);
  return bytes;
}
