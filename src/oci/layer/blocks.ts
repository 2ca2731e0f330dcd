/** What comes in crumbs, such as the headers of a tar, in pieces that are worth a call of a compressor. */

/** Where calls stop to matter. */
const BLOCK = 2 ** 18;

/** The same bytes. A block is valid until the next one is asked for; so may be the chunks of the source. */
export async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const room = Buffer.allocUnsafe(BLOCK);
  let filled = 0;
  for await (const chunk of source) {
    if (filled > 0 && filled + chunk.length > BLOCK) {
      yield room.subarray(0, filled);
      filled = 0;
    }
    if (chunk.length >= BLOCK) {
      yield chunk;
    } else {
      room.set(chunk, filled);
      filled += chunk.length;
    }
  }
  if (filled > 0) yield room.subarray(0, filled);
}
