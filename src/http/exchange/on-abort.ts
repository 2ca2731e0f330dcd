/** All who wait on a signal, behind the one listener that is added to it: Node warns at the eleventh of its own. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back once when the signal is aborted; the returned function takes that back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const set = waiting.get(signal) ?? listen(signal);
  set.add(callback);
  return () => set.delete(callback);
}

function listen(signal: AbortSignal): Set<() => void> {
  const set = new Set<() => void>();
  waiting.set(signal, set);
  signal.addEventListener('abort', () => [...set].forEach((callback) => void callback()), { once: true });
  return set;
}
