/** gzip, deflate, zstd and xz as byte streams with limits. */
export { type CompressionFormat, type DecompressOptions, decompress } from './decompress.ts';
export { deflatePiece, deflateRaw, inflateRaw } from './deflate.ts';
export { detectCompression } from './detect.ts';
export { CompressionError, type CompressionErrorCode } from './error.ts';
export { compressGzip } from './gzip.ts';
export { inflateRawStream } from './inflate-stream.ts';
export { decompressXz } from './xz.ts';
export { compressXz } from './xz-program.ts';
