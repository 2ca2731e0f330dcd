import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseContentRange } from './content-range.ts';
import { rangeValidator } from './validator.ts';

describe('a Content-Range', () => {
  it('tells first byte, last byte and total', () => {
    assert.deepEqual(parseContentRange('bytes 100-199/200'), { start: 100, end: 199, total: 200 });
    assert.deepEqual(parseContentRange('bytes 0-0/*'), { start: 0, end: 0, total: undefined });
  });

  it('comes back for every possible range', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (start, more, rest) => {
        const range = { start, end: start + more, total: start + more + 1 + rest };
        assert.deepEqual(parseContentRange(`bytes ${range.start}-${range.end}/${range.total}`), range);
      }),
    );
  });

  for (const text of [
    undefined,
    '',
    'bytes */200',
    'bytes 200-199/300',
    'bytes 0-200/200',
    'bytes 00-1/2',
    'bytes=0-1/2',
    'bytes 0-1/2 ',
    'bytes 0-99999999999999999999/*',
    'items 0-1/2',
  ]) {
    it(`${JSON.stringify(text) ?? 'that is absent'} is none`, () => {
      assert.equal(parseContentRange(text), undefined);
    });
  }
});

describe('the condition of a resumed download', () => {
  const date = 'Mon, 01 Jan 2024 00:00:00 GMT';
  for (const [what, headers, expected] of [
    ['a strong tag', { etag: '"a"', 'last-modified': date }, '"a"'],
    ['the date beside a weak tag', { etag: 'W/"a"', 'last-modified': date }, date],
    ['the date beside a damaged tag', { etag: '"a', 'last-modified': date }, date],
    ['the date alone', { 'last-modified': date }, date],
    ['nothing for a weak tag alone', { etag: 'W/"a"' }, undefined],
    ['nothing for garbage', { 'last-modified': 'x\u0001' }, undefined],
  ] as const) {
    it(`is ${what}`, () => {
      const head = { status: 200, headers: new Map(Object.entries(headers)), url: new URL('http://h/') };
      assert.equal(rangeValidator(head), expected);
    });
  }
});
