import * as zlib from 'node:zlib';

/** The CRC-32 of zlib and gzip, unsigned. Node has it from 20.15 and 22.2 on, in older ones it is computed here. */
export const crc32: (bytes: Uint8Array) => number =
  typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : crc32WithTable;

/** The polynomial of IEEE 802.3, its bits in reverse. */
const POLYNOMIAL = 0xedb88320;
let table: Uint32Array | undefined;

/** The same, byte by byte. */
export function crc32WithTable(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => remainder(byte));
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

function remainder(byte: number): number {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
}
