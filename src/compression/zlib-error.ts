import { codeOf } from '../base/error.ts';
import { CompressionError, malformed, truncated } from './error.ts';

/** What an engine of node:zlib threw, in our words; what came from elsewhere (the source) stays as it is. */
export function explainZlib(what: string, error: unknown): unknown {
  const code = codeOf(error) ?? '';
  if (code === 'Z_BUF_ERROR') return truncated(what, error);
  if (code === 'Z_MEM_ERROR' || code === 'ZSTD_error_memory_allocation') {
    return new CompressionError('COMPRESSION_MEMORY', `${what}: not enough memory to decompress`, { cause: error });
  }
  if (/^(Z_|ZSTD_)/.test(code)) return malformed(what, 'valid data', 'damaged data', error);
  return error;
}
