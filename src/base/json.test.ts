import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CodedError } from './error.ts';
import { decodeTime, describeError, formatDocument, jsonSize, jsonTime } from './json.ts';

describe('a document', () => {
  it('begins with its schema and ends with one newline', () => {
    const text = formatDocument('demo/1', { name: 'x', list: [1, null], gone: undefined });
    assert.deepEqual(Object.entries(JSON.parse(text)), [
      ['schema', 'demo/1'],
      ['name', 'x'],
      ['list', [1, null]],
    ]);
    assert.match(text, /[^\n]\n$/);
  });

  it('without fields is its schema alone', () => {
    assert.deepEqual(JSON.parse(formatDocument('demo/1', {})), { schema: 'demo/1' });
  });
});

describe('a size in JSON', () => {
  it('is a number as long as that is exact, and decimal text beyond', () => {
    assert.equal(jsonSize(0), 0);
    assert.equal(jsonSize(0n), 0);
    assert.equal(jsonSize(7), 7);
    assert.equal(jsonSize(2n ** 53n - 1n), 2 ** 53 - 1);
    assert.equal(jsonSize(2n ** 53n), '9007199254740992');
    assert.equal(jsonSize(2n ** 64n - 1n), '18446744073709551615');
  });
});

describe('a time in JSON', () => {
  it('is RFC 3339 in UTC with whole seconds', () => {
    assert.equal(jsonTime(0), '1970-01-01T00:00:00Z');
    assert.equal(jsonTime(999), '1970-01-01T00:00:00Z');
    assert.equal(jsonTime(Date.UTC(2024, 1, 29, 23, 59, 59, 999)), '2024-02-29T23:59:59Z');
  });

  it('comes back to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), (seconds) => {
        assert.equal(decodeTime(jsonTime(seconds * 1000)), seconds * 1000);
      }),
    );
  });

  it('of another writer may have fractions of a second', () => {
    assert.equal(decodeTime('1970-01-01T00:00:01.5Z'), 1500);
    assert.equal(decodeTime('1970-01-01T00:00:01.123456789Z'), 1123);
  });

  for (const text of [
    '',
    '2024-01-01',
    '2024-01-01T00:00Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00z',
    '2024-01-01t00:00:00Z',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00+00:00',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00.1234567890Z',
    '2024-1-1T00:00:00Z',
    '+002024-01-01T00:00:00Z',
    '-2024-01-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-01-01T25:00:00Z',
    '2024-01-01T00:60:00Z',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Z ',
    '2024-01-01T00:00:00Z\n',
    '1704067200',
    'Mon, 01 Jan 2024 00:00:00 GMT',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(decodeTime(text), undefined));
  }

  it('on a day that the calendar does not have is none', () => {
    assert.equal(decodeTime('2023-02-29T00:00:00Z'), undefined);
    assert.equal(decodeTime('2024-04-31T00:00:00Z'), undefined);
    assert.equal(decodeTime('2024-01-01T24:00:00Z'), undefined, 'RFC 3339 ends the day at 23:59:60');
  });
});

describe('an error in JSON', () => {
  it('has code, message with causes, hint and subject', () => {
    const error = new CodedError('DEMO', 'outer', { hint: 'h', subject: 's', cause: new Error('inner') });
    assert.deepEqual(describeError(error), { code: 'DEMO', message: 'outer: inner', hint: 'h', subject: 's' });
  });

  it('has nulls where there is nothing', () => {
    assert.deepEqual(describeError(new CodedError('DEMO', 'x')), {
      code: 'DEMO',
      message: 'x',
      hint: null,
      subject: null,
    });
  });

  it('that nobody meant to throw is UNEXPECTED, one of the system keeps its code', () => {
    assert.equal(describeError(new Error('x')).code, 'UNEXPECTED');
    assert.equal(describeError('x').code, 'UNEXPECTED');
    assert.equal(describeError(Object.assign(new Error('x'), { code: 'ENOSPC' })).code, 'ENOSPC');
  });
});
