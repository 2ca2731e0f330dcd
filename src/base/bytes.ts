/** Limits on streams of bytes: every reader of outside data has one. */
import { CodedError } from './error.ts';

/** The whole stream in one buffer, or `TOO_LARGE` as soon as more than `limit` bytes have arrived. */
export async function collect(stream: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw new CodedError('TOO_LARGE', `${what}: larger than the limit of ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
