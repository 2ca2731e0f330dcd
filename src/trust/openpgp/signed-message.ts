/**
 * Signed messages (RFC 4880 section 11.3): the content and its signatures in one, as `gpg --sign` makes them. Read are
 * `one-pass-signature* literal signature*` and the old form `signature* literal`, plain or compressed as a whole.
 */
import zlib from 'node:zlib';
import { explain } from '../../base/error.ts';
import { type Packet, readStreamPackets, splitPackets, TAG } from './packets.ts';

/** Simple signing of containers allows as much; the content is a JSON document of some hundred bytes. */
const MAX_BYTES = 4 * 2 ** 20;
const MAX_SIGNATURES = 16;
/** Section 5.9: format, length of the name, name, date. */
const LITERAL_FORMATS = Buffer.from('btu');

export interface SignedMessage {
  /** Signed by nobody until each of `signatures` was checked over it. */
  readonly content: Uint8Array;
  readonly signatures: readonly Packet[];
}

/** The parts of a signed message; a text says why it is none. */
export function splitSignedMessage(bytes: Uint8Array): SignedMessage | string {
  if (bytes.length > MAX_BYTES) return `message larger than the limit of ${MAX_BYTES} bytes`;
  const packets = readStreamPackets(bytes);
  if (typeof packets === 'string') return packets;
  const [first, second] = packets;
  if (first?.tag !== TAG.compressed) return partsOf(packets);
  if (second !== undefined) return 'something follows the compressed message';
  const inner = decompress(first.body);
  if (typeof inner === 'string') return inner;
  const content = readStreamPackets(inner);
  return typeof content === 'string' ? content : partsOf(content);
}

function partsOf(packets: readonly Packet[]): SignedMessage | string {
  const known = packets.filter(({ tag }) => tag !== TAG.marker && tag !== TAG.padding);
  const order = known.map(({ tag }) => LETTERS[tag] ?? '?').join('');
  const [, before = '', after = ''] = /^(O*|S*)L(S*)$/.exec(order) ?? [];
  const isOld = before.startsWith('S') && after === '';
  const isOnePass = before.startsWith('O') && before.length === after.length;
  if (!isOld && !isOnePass) return 'not a signed message';
  if (before.length > MAX_SIGNATURES) return `more than ${MAX_SIGNATURES} signatures`;
  const content = literalOf(known[before.length]?.body ?? new Uint8Array());
  if (content === undefined) return 'literal data is malformed';
  return { content, signatures: known.filter(({ tag }) => tag === TAG.signature) };
}

const LETTERS: Readonly<Record<number, string>> = { [TAG.onePass]: 'O', [TAG.signature]: 'S', [TAG.literal]: 'L' };

function literalOf(body: Uint8Array): Uint8Array | undefined {
  const [format = 0, nameLength = 0] = body;
  const start = 2 + nameLength + 4;
  return LITERAL_FORMATS.includes(format) && body.length >= start ? body.subarray(start) : undefined;
}

function decompress(body: Uint8Array): Uint8Array | string {
  const [algorithm] = body;
  const data = body.subarray(1);
  const limit = { maxOutputLength: MAX_BYTES };
  try {
    if (algorithm === 0) return data;
    if (algorithm === 1) return zlib.inflateRawSync(data, limit);
    if (algorithm === 2) return zlib.inflateSync(data, limit);
  } catch (error) {
    return `compressed message cannot be read: ${explain(error)}`;
  }
  return `message compressed by algorithm ${algorithm}, which is not supported`;
}

/** Who signs, as the signature packet says it. */
export interface OnePass {
  readonly hashAlgorithm: number;
  readonly publicKeyAlgorithm: number;
  /** 8 bytes. */
  readonly keyId: Uint8Array;
}

/** Uncompressed; the signature is a detached one of version 4 over binary data. */
export function joinSignedMessage(content: Uint8Array, signature: Uint8Array, by: OnePass): Uint8Array {
  const onePass = [3, 0, by.hashAlgorithm, by.publicKeyAlgorithm, ...by.keyId, 1];
  const literal = Buffer.concat([Buffer.from([LITERAL_FORMATS[0] ?? 0, 0, 0, 0, 0, 0]), content]);
  return Buffer.concat([packet(TAG.onePass, Buffer.from(onePass)), packet(TAG.literal, literal), signature]);
}

/** The only packet of a detached signature; undefined when there is not exactly one. */
export function onlySignature(detached: Uint8Array): Packet | undefined {
  const { packets, flaw } = splitPackets(detached);
  const [first, another] = packets;
  return flaw === undefined && another === undefined && first?.tag === TAG.signature ? first : undefined;
}

/** New format, length in four bytes. */
function packet(tag: number, body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(6);
  header[0] = 0xc0 | tag;
  header[1] = 0xff;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}
