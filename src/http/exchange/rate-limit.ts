/** How long to read nothing after so many bytes, to stay below a rate on average; shared by all transfers of a client. */
export type RateLimit = (bytes: number) => number;

/** Shorter pauses than this are saved up: a timer is not more exact than that. */
const SHORTEST_PAUSE_MS = 10;

export function createRateLimit(
  bytesPerSecond: number | undefined,
  now: () => number = () => performance.now(),
): RateLimit {
  if (bytesPerSecond === undefined) return () => 0;
  let paidUntil = 0;
  return (bytes) => {
    const time = now();
    paidUntil = Math.max(paidUntil, time) + (bytes * 1000) / bytesPerSecond;
    const pauseMs = paidUntil - time;
    return pauseMs < SHORTEST_PAUSE_MS ? 0 : pauseMs;
  };
}
