/** Work on several things at a time, no more than a few of them. */

/** Some at a time, begun in their order. The first failure ends the others, which are waited for. */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const others = new AbortController();
  const either = AbortSignal.any([signal, others.signal]);
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true && failure === undefined; next = queue.next()) {
      try {
        await work(next.value, either);
      } catch (error) {
        failure ??= { error };
        others.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failure !== undefined) throw failure.error;
}
