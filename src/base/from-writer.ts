/** A function that writes, as something to read from: one chunk at a time, each taken before the next is written. */

/** Waits for whoever takes the bytes. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

interface Offer {
  readonly chunk: Uint8Array;
  taken(): void;
  refuse(why: Error): void;
}

/**
 * A chunk is valid until the next one is asked for. Whoever leaves early makes the writer's sink fail, and the writer
 * is waited for.
 * @throws what the writer throws, behind all that it has written
 */
export async function* fromWriter(write: (sink: Sink) => Promise<void>): AsyncGenerator<Uint8Array> {
  const offers: Offer[] = [];
  let hasEnded = false;
  let hasLeft = false;
  let wake = (): void => undefined;
  const sink: Sink = (chunk) =>
    new Promise((taken, refuse) => {
      if (hasLeft) refuse(nobody());
      else offers.push({ chunk, taken, refuse });
      wake();
    });
  const work = begun(write, sink).finally(() => {
    hasEnded = true;
    wake();
  });
  work.catch(() => undefined); // thrown below, when what was written is handed out
  try {
    for (;;) {
      const offer = offers[0];
      if (offer !== undefined) {
        yield offer.chunk;
        offers.shift();
        offer.taken();
      } else if (hasEnded) break;
      else {
        await new Promise<void>((woken) => {
          wake = woken;
        });
      }
    }
    await work;
  } finally {
    hasLeft = true;
    for (const offer of offers.splice(0)) offer.refuse(nobody());
    await work.catch(() => undefined); // the same
  }
}

async function begun(write: (sink: Sink) => Promise<void>, sink: Sink): Promise<void> {
  await write(sink);
}

function nobody(): Error {
  return new Error('unreachable: nobody reads what is written, and the writer goes on');
}
