export type CompressionFormat = 'none' | 'gzip' | 'zstd' | 'xz';

/** Bytes that suffice to tell the formats apart. */
export const DETECTION_BYTES = 6;

/** gzip with its only method, deflate (RFC 1952). */
const GZIP = [0x1f, 0x8b, 0x08];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** The first byte of a skippable frame is 0x50 to 0x5f; these follow it. */
const ZSTD_SKIPPABLE = [0x2a, 0x4d, 0x18];

/**
 * By the first bytes; what is shorter than a magic number, or begins otherwise, is `none`. A skippable frame is zstd:
 * parallel compressors begin with one.
 */
export function detectCompression(start: Uint8Array): CompressionFormat {
  if (startsWith(start, GZIP)) return 'gzip';
  if (startsWith(start, XZ)) return 'xz';
  if (startsWith(start, ZSTD)) return 'zstd';
  return ((start[0] ?? 0) & 0xf0) === 0x50 && startsWith(start.subarray(1), ZSTD_SKIPPABLE) ? 'zstd' : 'none';
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
