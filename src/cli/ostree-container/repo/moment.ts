/** A moment in words: what `--keep-younger-than` takes of what GNU date understands. */
import { decodeDecimal } from '../../../base/decode.ts';

/** With its zone, for what a time means must not depend on where it is read. A date alone is its midnight in UTC. */
const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?( ?[Zz]| ?UTC| ?[+-][0-9]{2}:?[0-9]{2}))?$/;
const AGO = /^([0-9]{1,6}|an?) +(second|sec|minute|min|hour|day|week|month|year)s? +ago$/;
const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  sec: 1,
  minute: 60,
  min: 60,
  hour: 3600,
  day: 86_400,
  week: 7 * 86_400,
};

/**
 * Seconds since the epoch of `2026-01-31T12:00:00Z`, `2026-01-31 12:00 +0100`, `2026-01-31`, `@1700000000`, `now`,
 * `yesterday`, `30 days ago`; undefined for anything else. Months and years are those of the calendar.
 */
export function parseMoment(text: string, nowMs: number = Date.now()): number | undefined {
  const words = text.trim().toLowerCase();
  if (words.startsWith('@')) return decodeDecimal(words.slice(1));
  if (words === 'now' || words === 'today') return Math.floor(nowMs / 1000);
  if (words === 'yesterday') return Math.floor(nowMs / 1000) - 86_400;
  const [, amount, unit] = AGO.exec(words) ?? [];
  if (amount !== undefined && unit !== undefined)
    return before(nowMs, Number(amount.startsWith('a') ? 1 : amount), unit);
  return parseDate(text.trim());
}

function before(nowMs: number, amount: number, unit: string): number {
  const factor = SECONDS[unit];
  if (factor !== undefined) return Math.floor(nowMs / 1000) - amount * factor;
  const date = new Date(nowMs);
  if (unit === 'month') date.setUTCMonth(date.getUTCMonth() - amount);
  else date.setUTCFullYear(date.getUTCFullYear() - amount);
  return Math.floor(date.getTime() / 1000);
}

/** Seconds since the epoch of a date, or of a time with its zone. */
export function parseDate(text: string): number | undefined {
  const [, year = '', month = '', day = '', time = '00:00', zone = 'Z'] = RFC3339.exec(text) ?? [];
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  const offset = zone
    .trim()
    .replace('UTC', 'Z')
    .replace(/^([+-][0-9]{2})([0-9]{2})$/, '$1:$2')
    .toUpperCase();
  const milliseconds = isDay ? Date.parse(`${year}-${month}-${day}T${time}${offset}`) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
