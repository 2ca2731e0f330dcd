import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { string, variantOf } from '../../gvariant/index.ts';
import type { Commit } from '../objects/commit.ts';
import { describeCommit } from './commit-text.ts';

const SUM = 'a'.repeat(64);
const COMMIT: Commit = {
  metadata: [],
  parent: undefined,
  related: [],
  subject: '',
  body: '',
  timestamp: 0,
  rootTree: SUM,
  rootMeta: SUM,
};
const tail = (commit: Partial<Commit>): string[] => describeCommit(SUM, { ...COMMIT, ...commit }).slice(2);

describe('the text of a commit', () => {
  it('has a word for the missing subject', () => {
    assert.deepEqual(tail({}), ['Date:  1970-01-01 00:00:00 +0000', '(no subject)', '']);
  });
  it('indents every line of subject and body, and counts no line behind the last newline', () => {
    assert.deepEqual(tail({ subject: 'one\ntwo', body: 'a\n\nb\n' }).slice(1), [
      '',
      '    one',
      '    two',
      '',
      '    a',
      '    ',
      '    b',
      '',
    ]);
  });
  it('names parent and version', () => {
    const lines = describeCommit(SUM, {
      ...COMMIT,
      parent: SUM,
      metadata: [['version', variantOf(string, '3')]],
    });
    assert.deepEqual([lines[1], lines[4]], [`Parent:  ${SUM}`, 'Version: 3']);
  });
  it('shows a time that no calendar has as a number', () => {
    assert.equal(tail({ timestamp: 253_402_300_799 })[0], 'Date:  9999-12-31 23:59:59 +0000');
    assert.equal(tail({ timestamp: 253_402_300_800 })[0], 'Date:  @253402300800');
    assert.equal(tail({ timestamp: Number.MAX_SAFE_INTEGER })[0], `Date:  @${Number.MAX_SAFE_INTEGER}`);
  });
});
