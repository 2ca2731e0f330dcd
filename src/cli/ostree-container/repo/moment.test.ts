import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatGlibSize } from './glib-size.ts';
import { parseMoment } from './moment.ts';

/** 2026-03-31T12:00:00Z. */
const NOW = Date.UTC(2026, 2, 31, 12);
const iso = (text: string): string | undefined => {
  const seconds = parseMoment(text, NOW);
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().slice(0, 19);
};

describe('a moment', () => {
  for (const [text, expected] of [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00'],
    ['2026-01-31 12:00:30 +0130', '2026-01-31T10:30:30'],
    ['2026-01-31 12:00 UTC', '2026-01-31T12:00:00'],
    ['2026-01-31', '2026-01-31T00:00:00'],
    ['@1700000000', '2023-11-14T22:13:20'],
    ['now', '2026-03-31T12:00:00'],
    ['yesterday', '2026-03-30T12:00:00'],
    ['30 days ago', '2026-03-01T12:00:00'],
    ['a week ago', '2026-03-24T12:00:00'],
    ['1 Hour Ago', '2026-03-31T11:00:00'],
    ['2 months ago', '2026-01-31T12:00:00'],
    ['1 year ago', '2025-03-31T12:00:00'],
  ] as const) {
    it(`is ${text}`, () => assert.equal(iso(text), expected));
  }
  for (const text of [
    '',
    'nonsense',
    '2026-02-30',
    '2026-01-31T12:00:00',
    '12:00',
    '@',
    '@-1',
    '@1.5',
    '3 days',
    '-3 days ago',
    '2026-1-1',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(iso(text), undefined));
  }
});

describe('a size as GLib prints it', () => {
  for (const [bytes, expected] of [
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0\u00a0kB'],
    [1728, '1.7\u00a0kB'],
    [5_000_000, '5.0\u00a0MB'],
  ] as const) {
    it(`is ${expected}`, () => assert.equal(formatGlibSize(bytes), expected));
  }
});
