/** Signals and timers get their turn only between synchronous calls: a moment for them now and then. */
import { setImmediate } from 'node:timers/promises';

/** So many files take some milliseconds. */
const FILES = 256;

/** Called for each file; a promise once in a while. @throws what the signal was aborted with */
export function breather(signal: AbortSignal): () => Promise<void> | undefined {
  let count = 0;
  return () => {
    if (++count % FILES !== 0) return undefined;
    return setImmediate(undefined).then(() => signal.throwIfAborted());
  };
}
