/** Detached signatures as they are stored: one packet or several, binary or armored. */
import type { SignaturePacket } from 'openpgp';
import { printable } from '../../base/text.ts';
import { digestName, publicKeyName, refuseAlgorithms } from './algorithms.ts';
import { readArmor } from './armor.ts';
import { type Library, policy } from './library.ts';
import { looksBinary, type Packet, splitPackets, TAG } from './packets.ts';
import type { OpenPgpVerdict } from './verdict.ts';

/** A signature is some hundred bytes long. */
const MAX_BYTES = 2 ** 20;
const MAX_SIGNATURES = 256;

/** A signature packet, or the flaw that stands in its place. */
export type SignatureEntry = { readonly packet: Packet } | { readonly flaw: string };

/** What can be read is kept, whatever stands before and after it; there is always at least one entry. */
export function readSignatureFile(bytes: Uint8Array): readonly SignatureEntry[] {
  if (bytes.length === 0) return [{ flaw: 'empty signature' }];
  if (bytes.length > MAX_BYTES) return [{ flaw: `signature larger than the limit of ${MAX_BYTES} bytes` }];
  const entries = looksBinary(bytes) ? readPackets(bytes) : readArmored(bytes);
  if (entries.length === 0) return [{ flaw: 'no signature in it' }];
  return entries.length > MAX_SIGNATURES ? [{ flaw: `more than ${MAX_SIGNATURES} signatures` }] : entries;
}

function readArmored(text: Uint8Array): readonly SignatureEntry[] {
  const blocks = readArmor(text);
  if (blocks.length === 0) return [{ flaw: 'neither a binary nor an armored signature' }];
  return blocks.flatMap(({ label, bytes, flaw }) => {
    if (bytes === undefined) return [{ flaw: `armor ${flaw}` }];
    return label === 'PGP SIGNATURE' ? readPackets(bytes) : [{ flaw: `armor of another kind: ${label}` }];
  });
}

function readPackets(bytes: Uint8Array): readonly SignatureEntry[] {
  const { packets, flaw } = splitPackets(bytes);
  const entries = packets.flatMap((packet): readonly SignatureEntry[] => {
    if (packet.tag === TAG.signature) return [{ packet }];
    return packet.tag === TAG.marker || packet.tag === TAG.padding ? [] : [{ flaw: `packet of kind ${packet.tag}` }];
  });
  return flaw === undefined ? entries : [...entries, { flaw }];
}

/** The verdict on something of which nothing is known but that it cannot be read. */
export function unreadable(reason: string, status: 'bad' | 'unusable' = 'bad'): OpenPgpVerdict {
  return {
    status,
    fingerprint: undefined,
    keyId: '0'.repeat(16),
    userId: undefined,
    signedAt: undefined,
    expiresAt: undefined,
    keyExpiresAt: undefined,
    algorithm: 'unknown',
    hash: 'unknown',
    reason,
  };
}

/** What the library makes of a packet; a verdict when it makes nothing of it. */
export async function parseSignature(library: Library, packet: Packet): Promise<SignaturePacket | OpenPgpVerdict> {
  const [version = 0, , publicKey = 0, digest = 0] = packet.body;
  if (version === 2 || version === 3) return parseOldSignature(packet.body, version);
  if (version !== 4 && version !== 6) return unreadable(`signature of version ${version}`, 'unusable');
  try {
    const read = await library.readSignature({ binarySignature: packet.raw, config: policy(library) });
    const [signature] = read.packets;
    if (signature instanceof library.SignaturePacket) return signature;
  } catch (error) {
    return unreadable(`malformed signature: ${printable(error instanceof Error ? error.message : String(error))}`);
  }
  const reason = refuseAlgorithms(publicKey, digest) ?? 'signature with parts that are not supported';
  return { ...unreadable(reason, 'unusable'), algorithm: publicKeyName(publicKey), hash: digestName(digest) };
}

/** Shape: version, 5, type, u32 time, u64 key id, algorithm, digest. Only PGP before 5 made these for data. */
function parseOldSignature(body: Uint8Array, version: number): OpenPgpVerdict {
  const keyId = Buffer.from(body.subarray(7, 15)).toString('hex').toUpperCase().padEnd(16, '0');
  return {
    ...unreadable(`signature of version ${version}`, 'unusable'),
    keyId,
    algorithm: publicKeyName(body[15] ?? 0),
    hash: digestName(body[16] ?? 0),
  };
}
