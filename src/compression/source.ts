/** What is done to a source before it is decoded. */

/**
 * The first bytes of a stream (fewer only when it is shorter), and the whole stream again. The stream is closed when
 * the second is left early.
 */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ readonly start: Uint8Array; readonly bytes: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (let size = 0; size < length; ) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    chunks.push(value);
    size += value.length;
  }
  return { start: Buffer.concat(chunks).subarray(0, length), bytes: chain(chunks, iterator) };
}

async function* chain(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let open = true;
  try {
    yield* chunks;
    for (;;) {
      open = false; // an iterator that has thrown or ended is closed already
      const { done, value } = await rest.next();
      if (done === true) return;
      open = true;
      yield value;
    }
  } finally {
    if (open) await rest.return?.();
  }
}

/** The same stream, which throws the reason of the signal even while the source keeps it waiting. */
export async function* abortable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let state: 'open' | 'waiting' | 'closed' = 'open';
  let giveUp: (() => void) | undefined;
  const onAbort = (): void => giveUp?.();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      state = 'waiting';
      // Not a race against one promise for all chunks: that would keep every one of them until the end.
      const { done, value } = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = () => reject(signal.reason);
        iterator.next().then(resolve, reject);
      });
      state = done === true ? 'closed' : 'open';
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // A source that is waiting closes when it wakes up; that may be never, so nobody waits for it here.
    if (state === 'waiting') iterator.return?.().catch(() => undefined);
    if (state === 'open') await iterator.return?.();
  }
}
