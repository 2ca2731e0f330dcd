import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTimeSpan, parseTimeSpan } from './time-span.ts';

// The values are those of `systemd-analyze timespan` (252); a month is the twelfth part of 365.25 days.
describe('a time span', () => {
  for (const [text, ms] of [
    ['0', 0],
    ['50', 50_000],
    ['1.5', 1500],
    ['10s', 10_000],
    ['10 s', 10_000],
    ['2 h', 7_200_000],
    ['2hours', 7_200_000],
    ['48hr', 172_800_000],
    ['1y 12month', 2 * 365.25 * 86_400_000],
    ['55s500ms', 55_500],
    ['300ms20s 5day', 300 + 20_000 + 5 * 86_400_000],
    ['5min 20s', 320_000],
    ['1.5h', 5_400_000],
    ['1h30min', 5_400_000],
    ['1 w', 604_800_000],
    ['1d', 86_400_000],
    ['1m', 60_000],
    ['1M', 2_629_800_000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['250μs', 0.25],
    [' 30s ', 30_000],
    ['1000usec', 1],
    ['1msec', 1],
    ['1second 1seconds 1sec', 3000],
    ['1minute 2minutes', 180_000],
    ['1hour', 3_600_000],
    ['1days', 86_400_000],
    ['1week 1weeks', 1_209_600_000],
    ['100y', 100 * 365.25 * 86_400_000],
  ] as const) {
    it(`${JSON.stringify(text)} is ${ms} ms`, () => {
      const found = parseTimeSpan(text);
      assert.ok(found !== undefined && Math.abs(found - ms) < 1e-6 * Math.max(1, ms), String(found));
    });
  }

  for (const text of [
    '',
    ' ',
    's',
    'min',
    '-1',
    '-1s',
    '- 1',
    '1x',
    '1S',
    '1MIN',
    '1 sekunde',
    '1s x',
    '1s,2s',
    '1:30',
    '00:01:00',
    '1,5s',
    '1.',
    '1..5',
    '1.5.5',
    '1e3',
    '0x10',
    '1_000',
    '1\0s',
    '１s',
    'NaN',
    '1constructor',
    '100y 1us 1s',
    '101y',
    '9'.repeat(400),
  ]) {
    it(`${JSON.stringify(text.slice(0, 20))} is none`, () => assert.equal(parseTimeSpan(text), undefined));
  }

  it('is a number of milliseconds that is not negative, or none, whatever comes in', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0159. smhdyuMw-') }));
    fc.assert(
      fc.property(text, (input) => {
        const found = parseTimeSpan(input);
        assert.ok(found === undefined || (Number.isFinite(found) && found >= 0));
      }),
      { numRuns: 2000 },
    );
  });

  it('is read quickly, or not at all, when it is long', () => {
    const before = performance.now();
    parseTimeSpan(`${' '.repeat(100_000)}x`);
    parseTimeSpan('1'.repeat(100_000));
    parseTimeSpan('1s'.repeat(50_000));
    assert.ok(performance.now() - before < 1000);
  });
});

describe('a time span for people', () => {
  for (const [ms, text] of [
    [0, '0 s'],
    [400, '0 s'],
    [1000, '1 s'],
    [59_000, '59 s'],
    [60_000, '1 min'],
    [90_000, '1 min 30 s'],
    [3_600_000, '1 h'],
    [2 * 86_400_000 + 3 * 3_600_000 + 5 * 60_000, '2 d 3 h'],
    [30 * 86_400_000, '30 d'],
  ] as const) {
    it(`of ${ms} ms is ${text}`, () => assert.equal(formatTimeSpan(ms), text));
  }
});
