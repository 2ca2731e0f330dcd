import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerTo } from './conditional.ts';

const modified = new Date('2026-11-21T12:00:00.500Z');
const DATE = 'Sat, 21 Nov 2026 12:00:00 GMT';
const LATER = 'Sat, 21 Nov 2026 12:00:01 GMT';
const EARLIER = 'Sat, 21 Nov 2026 11:59:59 GMT';
const facts = { etag: '"a"', modified, size: 100, isSeekable: true };
const part = (start: number, end: number) => ({ kind: 'part', start, end });
const WHOLE = { kind: 'whole' };
const NOT = { kind: 'unsatisfiable' };

describe('a condition', () => {
  for (const [headers, kind] of [
    [{}, 'whole'],
    [{ 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a"' }, 'not-modified'],
    [{ 'if-none-match': '"b", "a"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"b"' }, 'whole'],
    [{ 'if-none-match': 'a' }, 'whole'],
    [{ 'if-none-match': '"b"', 'if-modified-since': LATER }, 'whole'],
    [{ 'if-modified-since': DATE }, 'not-modified'],
    [{ 'if-modified-since': LATER }, 'not-modified'],
    [{ 'if-modified-since': EARLIER }, 'whole'],
    [{ 'if-modified-since': '2026-11-22' }, 'whole'],
    [{ 'if-none-match': '"a"', range: 'bytes=0-1' }, 'not-modified'],
  ] as const) {
    it(`${JSON.stringify(headers)} is answered by ${kind}`, () => assert.equal(answerTo(headers, facts).kind, kind));
  }
});

describe('a range', () => {
  for (const [range, expected] of [
    ['bytes=0-', part(0, 100)],
    ['bytes=0-0', part(0, 1)],
    ['bytes=10-19', part(10, 20)],
    ['bytes=90-200', part(90, 100)],
    ['bytes=-10', part(90, 100)],
    ['bytes=-1000', part(0, 100)],
    ['bytes=99-', part(99, 100)],
    ['bytes=100-', NOT],
    [`bytes=${'9'.repeat(40)}-`, NOT],
    ['bytes=-0', NOT],
    ['bytes=0-1,5-6', WHOLE],
    ['bytes=5-2', WHOLE],
    ['bytes=-', WHOLE],
    ['bytes=a-b', WHOLE],
    ['lines=1-2', WHOLE],
  ] as const) {
    it(`${range.slice(0, 30)} of 100 bytes is ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(answerTo({ range }, facts), expected));
  }

  it('holds only for the very file that was begun', () => {
    const answer = (condition: string) => answerTo({ range: 'bytes=1-', 'if-range': condition }, facts).kind;
    assert.deepEqual(['"a"', 'W/"a"', '"b"', DATE, LATER, EARLIER].map(answer), [
      'part',
      'whole',
      'whole',
      'part',
      'whole',
      'whole',
    ]);
  });

  it('is not given of what has no middle', () => {
    assert.deepEqual(answerTo({ range: 'bytes=1-' }, { ...facts, isSeekable: false }), WHOLE);
  });

  it('never leaves the file, whatever was asked for', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.oneof(
          fc.string(),
          fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `bytes=${a}-${b}`),
        ),
        (size, range) => {
          const answer = answerTo({ range }, { ...facts, size });
          if (answer.kind === 'part') assert.ok(0 <= answer.start && answer.start < answer.end && answer.end <= size);
        },
      ),
    );
  });
});
