/**
 * The framing of OpenPGP packets (RFC 4880 section 4.2, RFC 9580 section 4.2), without a look at what is in them.
 *
 * The library reads a whole sequence or nothing; here each packet stands by itself, so that one that is damaged or
 * unknown costs only itself.
 */

export const TAG = {
  signature: 2,
  onePass: 4,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  compressed: 8,
  marker: 10,
  literal: 11,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const;

/** From here on a reader must pass over what it does not know. */
export const FIRST_OPTIONAL_TAG = 40;

export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
  /** Header and body, as they were. */
  readonly raw: Uint8Array;
}

export interface PacketSequence {
  readonly packets: readonly Packet[];
  /** Why reading stopped before the end; what follows cannot be found any more. */
  readonly flaw: string | undefined;
}

/** Packets of a stream of unknown length (partial and indeterminate lengths) hold data, never keys or signatures. */
export function splitPackets(bytes: Uint8Array): PacketSequence {
  const packets: Packet[] = [];
  let at = 0;
  while (at < bytes.length) {
    const header = readHeader(bytes, at);
    if (typeof header === 'string') return { packets, flaw: `${header} at byte ${at}` };
    const end = header.start + header.length;
    if (end > bytes.length) return { packets, flaw: `packet at byte ${at} is cut off` };
    packets.push({ tag: header.tag, body: bytes.subarray(header.start, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return { packets, flaw: undefined };
}

/** Parts of one packet; a writer chooses their size, and gpg takes 8 KiB. */
const MAX_PARTS = 4096;

/**
 * Whole packets of a message in memory, those of a stream too: in parts, or of indeterminate length and then to the
 * end. A text says why it is damaged.
 */
export function readStreamPackets(bytes: Uint8Array): readonly Packet[] | string {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    if ((first & 0xc3) === 0x83) {
      packets.push({ tag: (first >> 2) & 15, body: bytes.subarray(at + 1), raw: bytes.subarray(at) });
      return packets;
    }
    const inParts = (first & 0xc0) === 0xc0 && isPartial(bytes[at + 1]) ? joinParts(bytes, at + 1) : undefined;
    if (typeof inParts === 'string') return inParts;
    if (inParts !== undefined) {
      packets.push({ tag: first & 63, body: inParts.body, raw: bytes.subarray(at, inParts.end) });
      at = inParts.end;
      continue;
    }
    const header = readHeader(bytes, at);
    if (typeof header === 'string') return `${header} at byte ${at}`;
    const end = header.start + header.length;
    if (end > bytes.length) return `packet at byte ${at} is cut off`;
    packets.push({ tag: header.tag, body: bytes.subarray(header.start, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return packets;
}

function isPartial(lengthByte: number | undefined): boolean {
  return lengthByte !== undefined && lengthByte >= 224 && lengthByte < 255;
}

/** Parts of a power of two each, and a last one of a common length. */
function joinParts(bytes: Uint8Array, from: number): { readonly body: Uint8Array; readonly end: number } | string {
  const parts: Uint8Array[] = [];
  for (let at = from; parts.length < MAX_PARTS; ) {
    const one = bytes[at];
    // The rest of the header is as that of any packet: only the kind stands before it.
    const last = isPartial(one) ? undefined : readNewHeader(bytes, at - 1, 0);
    if (typeof last === 'string') return `${last} at byte ${at}`;
    const start = last?.start ?? at + 1;
    const length = last?.length ?? 2 ** ((one ?? 0) & 31);
    if (start + length > bytes.length) return `packet in parts at byte ${from} is cut off`;
    parts.push(bytes.subarray(start, start + length));
    at = start + length;
    if (last !== undefined) return { body: Buffer.concat(parts), end: at };
  }
  return `packet at byte ${from} has more than ${MAX_PARTS} parts`;
}

/** Is this binary OpenPGP, as opposed to text? Every packet begins with the top bit set. */
export function looksBinary(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x80) !== 0;
}

interface Header {
  readonly tag: number;
  readonly start: number;
  readonly length: number;
}

function readHeader(bytes: Uint8Array, at: number): Header | string {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return 'no packet';
  return (first & 0x40) === 0 ? readOldHeader(bytes, at, first) : readNewHeader(bytes, at, first);
}

function readOldHeader(bytes: Uint8Array, at: number, first: number): Header | string {
  const width = [1, 2, 4][first & 3];
  if (width === undefined) return 'packet of indeterminate length';
  const length = bigEndian(bytes, at + 1, width);
  return length === undefined ? 'packet header is cut off' : { tag: (first >> 2) & 15, start: at + 1 + width, length };
}

function readNewHeader(bytes: Uint8Array, at: number, first: number): Header | string {
  const tag = first & 63;
  const one = bytes[at + 1];
  if (one === undefined) return 'packet header is cut off';
  if (one < 192) return { tag, start: at + 2, length: one };
  if (one >= 224 && one < 255) return 'packet in parts';
  const length = one === 255 ? bigEndian(bytes, at + 2, 4) : bytes[at + 2];
  if (length === undefined) return 'packet header is cut off';
  return one === 255
    ? { tag, start: at + 6, length }
    : { tag, start: at + 3, length: (one - 192) * 256 + length + 192 };
}

function bigEndian(bytes: Uint8Array, at: number, width: number): number | undefined {
  if (at + width > bytes.length) return undefined;
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
