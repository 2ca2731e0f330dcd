import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTime } from './commit-time.ts';

describe('the time of a commit', () => {
  for (const [text, seconds] of [
    ['@1700000000', 1700000000],
    ['@0', 0],
    ['2020-01-02T03:04:05Z', 1577934245],
    ['2020-01-02t03:04:05.9z', 1577934245],
    ['2020-01-02 03:04:05 +0100', 1577930645],
    ['2020-01-02T03:04:05-00:30', 1577936045],
    ['2020-02-29', 1582934400],
  ] as const) {
    it(`is ${seconds} for ${text}`, () => {
      assert.equal(commitTime(text, { SOURCE_DATE_EPOCH: '1' }), seconds);
    });
  }
  for (const text of [
    '',
    'now',
    '1700000000',
    '@-5',
    '@1.5',
    '2020-01-02T03:04:05',
    '2021-02-29',
    '2020-13-01',
    '1960-01-01',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => commitTime(text, {}), { code: 'USAGE' });
    });
  }
  it('is SOURCE_DATE_EPOCH when none is given, else now, in whole seconds', () => {
    assert.equal(commitTime(undefined, { SOURCE_DATE_EPOCH: '77' }), 77);
    assert.equal(commitTime(undefined, {}, 1_999_999), 1999);
    for (const epoch of ['', 'x', '-1', '1.5']) {
      assert.throws(() => commitTime(undefined, { SOURCE_DATE_EPOCH: epoch }), { code: 'USAGE' }, epoch);
    }
  });
});
