import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diffLines } from './text-difference.ts';

describe('two texts', () => {
  it('differ by lines, each with its number of times', () => {
    const found = diffLines('a\nb\nb\nc\n', 'b\nc\nd\na\na\n');
    assert.deepEqual(found, { removed: ['b'], added: ['d', 'a'] });
  });
  it('that are equal but for empty lines and order do not differ', () => {
    assert.deepEqual(diffLines('a\n\nb', 'b\na\n'), { removed: [], added: [] });
  });
});
