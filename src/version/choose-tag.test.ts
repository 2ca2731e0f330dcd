import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseTag } from './choose-tag.ts';

const TAGS = ['latest', '1.0', '1.2', '1.10', '1.11-beta', 'v1.3', '2.0', 'stable-1'];
const NONE = { hold: null, skip: [], current: null };
const choose = (pattern: string, state: Partial<Parameters<typeof chooseTag>[2]> = {}, preReleases = false): string =>
  chooseTag(TAGS, { pattern, preReleases }, { ...NONE, ...state });

describe('the tag that a pattern means', () => {
  it('is the newest release that matches', () => {
    assert.equal(choose('1.*'), '1.10');
    assert.equal(choose('*'), '2.0');
    assert.equal(choose('1.0 <= v < 1.10'), '1.2');
    assert.equal(choose('1.2'), '1.2');
    assert.equal(choose('v1.*'), 'v1.3');
  });

  it('is a pre-release only when somebody asks for one', () => {
    assert.equal(choose('1.*', {}, true), '1.11-beta');
    assert.equal(choose('1.11-beta'), '1.11-beta');
    assert.throws(() => choose('1.11.*'), { code: 'NO_MATCHING_TAG', hint: /--pre-releases/ });
  });

  it('is the held one, and no other', () => {
    assert.equal(choose('1.*', { hold: { version: '1.2.0' } }), '1.2');
    assert.throws(() => choose('1.*', { hold: { version: '1.5' } }), {
      code: 'NO_MATCHING_TAG',
    });
  });

  it('is newer than what was skipped, else what is here stays', () => {
    const skip = [{ version: '1.2' }];
    assert.equal(choose('1.*', { skip }), '1.10');
    const newest = [{ version: '1.10' }];
    assert.equal(choose('1.*', { skip: newest, current: { tag: '1.2' } }), '1.2');
    assert.throws(() => choose('1.*', { skip: newest }), { code: 'NO_MATCHING_TAG' });
  });

  it('is none where nothing matches', () => {
    assert.throws(() => choose('3.*'), { code: 'NO_MATCHING_TAG' });
    assert.throws(() => choose('<'), { code: 'PATTERN_MALFORMED' });
  });
});
