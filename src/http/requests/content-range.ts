import { decodeDecimal } from '../../base/decode.ts';

export interface ContentRange {
  readonly start: number;
  /** The last byte, not the one after it. */
  readonly end: number;
  /** Undefined where the server writes `*`. */
  readonly total: number | undefined;
}

/** `bytes 100-199/200`; anything else, a range of several parts included, is undefined. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const [, first = '', last = '', whole = ''] = /^bytes ([0-9]+)-([0-9]+)\/([0-9]+|\*)$/.exec(text ?? '') ?? [];
  const start = decodeDecimal(first);
  const end = decodeDecimal(last);
  const total = decodeDecimal(whole);
  if (start === undefined || end === undefined || end < start) return undefined;
  if (whole !== '*' && (total === undefined || end >= total)) return undefined;
  return { start, end, total };
}
