import { decodeDecimal } from '../../base/decode.ts';

/** `Retry-After` in seconds or as an HTTP date, in milliseconds from now; anything else is as if it were not there. */
export function parseRetryAfter(text: string | undefined, now = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  const seconds = decodeDecimal(text);
  if (seconds !== undefined) return seconds * 1000;
  if (!/^[A-Z][a-z]{2,8},? .* (GMT|UTC)$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
