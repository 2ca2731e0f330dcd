import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FilePair } from './anchor-finder.ts';
import { extendBack, extendForward, splitOverlap } from './extend-anchor.ts';

const pair = (old: string, changed: string): FilePair => ({ old: Buffer.from(old), new: Buffer.from(changed) });
const anchor = (oldStart: number, newStart: number) => ({ oldStart, newStart, length: 2 });

describe('an anchor', () => {
  it('reaches forward over single bytes that differ, as long as more agree', () => {
    assert.equal(extendForward(pair('abcdefghijkl', 'abcXefghXXXX'), anchor(0, 0), 12), 8);
    assert.equal(extendForward(pair('abcdefghijkl', 'abXXXfghXXXX'), anchor(0, 0), 12), 2);
  });

  it('reaches back in the same way, from where it starts', () => {
    assert.equal(extendBack(pair('XXabcdefgh', '--abcYefgh'), anchor(8, 8), 0), 6);
    assert.equal(extendBack(pair('abcdefgh', 'YYYdefgh'), anchor(6, 6), 0), 3);
  });

  it('reaches no further than it may, nor beyond either end of the old file', () => {
    const same = pair('abcdefgh', 'abcdefgh');
    assert.equal(extendForward(same, anchor(2, 2), 5), 3);
    assert.equal(extendBack(same, anchor(6, 6), 4), 2);
    assert.equal(extendForward(pair('cd', 'abcd'), anchor(0, 2), 4), 2);
    assert.equal(extendBack(pair('cd', 'abcd'), anchor(1, 3), 0), 1);
  });

  it('leaves to its neighbour what the neighbour gets right', () => {
    // the new file follows the first anchor up to 4 and the second from there on
    const files = pair('abcd----efgh', 'abcdefgh');
    assert.equal(splitOverlap(files, [anchor(0, 0), anchor(10, 6)], { start: 1, end: 7 }), 3);
  });
});
