/** gzip, deflate, zstd and xz as byte streams with limits. */
export type { CompressionFormat, DecompressOptions } from './decompress.ts';
export { deflatePiece, deflateRaw, inflateRaw, inflateRawStart } from './deflate.ts';
export { detectCompression } from './detect.ts';
export { CompressionError, type CompressionErrorCode } from './error.ts';
export { inflateRawStream } from './inflate-stream.ts';
export { compressGzip, compressXz, decompress, decompressXz } from './on-demand.ts';
