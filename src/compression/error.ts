import { CodedError } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type CompressionErrorCode =
  | 'TOO_LARGE'
  | 'COMPRESSION_MALFORMED'
  | 'COMPRESSION_TRUNCATED'
  | 'COMPRESSION_MEMORY'
  | 'COMPRESSION_UNSUPPORTED'
  | 'COMPRESSION_FAILED'
  | 'NO_XZ';

export class CompressionError extends CodedError<CompressionErrorCode> {}

export function malformed(what: string, expected: string, found: string, cause?: unknown): CompressionError {
  return new CompressionError('COMPRESSION_MALFORMED', `${what}: expected ${expected}, found ${found}`, { cause });
}

export function truncated(what: string, cause?: unknown): CompressionError {
  return new CompressionError('COMPRESSION_TRUNCATED', `${what}: expected more data, found its end`, { cause });
}

export function tooMuchMemory(what: string, limit: number): CompressionError {
  return new CompressionError('COMPRESSION_MEMORY', `${what}: needs more than ${limit / 2 ** 20} MiB to decompress`);
}

export function tooLarge(what: string, limit: number): CompressionError {
  return new CompressionError('TOO_LARGE', `${what}: decompresses to more than the limit of ${limit} bytes`);
}

export function unsupported(what: string, feature: string): CompressionError {
  return new CompressionError('COMPRESSION_UNSUPPORTED', `${what}: ${feature} is not supported`);
}
