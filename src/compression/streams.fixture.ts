import { spawnSync } from 'node:child_process';
import { compressGzip } from './gzip.ts';

/** A source, what was taken from it, and whether it was closed or read to its end. */
export function source(bytes: Uint8Array, size = 65536) {
  const seen = { taken: 0, closed: false, finished: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < bytes.length; at += size) {
        seen.taken += Math.min(size, bytes.length - at);
        yield bytes.subarray(at, at + size);
      }
      seen.finished = true;
    } finally {
      seen.closed = true;
    }
  }
  return { seen, bytes: generate() };
}

export function pieces(bytes: Uint8Array, size?: number): AsyncIterable<Uint8Array> {
  return source(bytes, size).bytes;
}

export async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a program makes of the input. */
export function filter(program: string, args: readonly string[], input: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 2 ** 30 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout;
}

export const gzip = (content: Uint8Array): Promise<Buffer> => whole(compressGzip(pieces(content)));

/** Numbers from 0 to below `n`, the same in every run (xorshift). */
export function seeded(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** Compressible, but not trivially: words from a small set, with noise between them. */
export function sample(length: number, seed = 1): Buffer {
  const random = seeded(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const run = Math.min(1 + random(40), length - at);
    if (random(3) === 0) for (let i = 0; i < run; i++) bytes[at + i] = random(256);
    else bytes.fill(`word${random(20)} `, at, at + run);
    at += run;
  }
  return bytes;
}

/** One to four changes: a byte, a bit, a cut, a repetition. */
export function mutate(bytes: Uint8Array, random: (n: number) => number): Buffer {
  let out = Buffer.from(bytes);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(out.length || 1);
    const kind = random(8);
    if (kind < 3) out[at] = random(256);
    else if (kind < 6) out[at] = (out[at] ?? 0) ^ (1 << random(8));
    else if (kind === 6) out = Buffer.concat([out.subarray(0, at), out.subarray(at + random(20))]);
    else out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - random(20)))]);
  }
  return out;
}
