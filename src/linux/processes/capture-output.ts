import type { Readable } from 'node:stream';

export interface CapturedOutput {
  /** Invalid UTF-8 becomes replacement characters: output is for people. */
  text(): string;
  /** All bytes that came, kept or not. */
  received(): number;
  truncated(): boolean;
}

/** Keep the first `limit` bytes; the rest is read all the same, or the writer would stand still. */
export function captureOutput(stream: Readable | null, limit: number): CapturedOutput {
  const kept: Uint8Array[] = [];
  let received = 0;
  stream?.on('data', (chunk: Uint8Array) => {
    const room = limit - received;
    if (room > 0) kept.push(chunk.subarray(0, room));
    received += chunk.length;
  });
  return {
    text: () => Buffer.concat(kept).toString(),
    received: () => received,
    truncated: () => received > limit,
  };
}
