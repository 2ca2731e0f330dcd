import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selectPaths } from './subpath.ts';
import { parseAsked } from './wanted.ts';

describe('the wanted part of a tree', () => {
  it('is everything when nothing is named, or the root', () => {
    assert.deepEqual([selectPaths([]), selectPaths(['/']), selectPaths(['/usr', '/'])], ['all', 'all', 'all']);
  });
  it('is what several paths name together, and a directory covers what is below it', () => {
    const selection = selectPaths(['/usr/bin', '/usr/lib/x', '/usr/bin/y', '/etc']);
    const lib = new Map([['x', 'all']]);
    assert.deepEqual(
      selection,
      new Map<string, unknown>([
        [
          'usr',
          new Map<string, unknown>([
            ['bin', 'all'],
            ['lib', lib],
          ]),
        ],
        ['etc', 'all'],
      ]),
    );
  });
  for (const path of ['usr', '', '/usr/../etc', '/.']) {
    it(`is not named by ${JSON.stringify(path)}`, () => {
      assert.throws(() => selectPaths([path]), { code: 'FILE_NAME' });
    });
  }
});

describe('what is asked for', () => {
  const commit = 'ab'.repeat(32);
  it('is a ref, a ref at a commit, or a commit', () => {
    assert.deepEqual(parseAsked('os/stable'), { ref: 'os/stable', commit: undefined });
    assert.deepEqual(parseAsked(`os/stable@${commit}`), { ref: 'os/stable', commit });
    assert.deepEqual(parseAsked(commit), { ref: undefined, commit });
  });
  for (const text of ['', '../x', 'a b', 'ref@short', `ref@${commit.toUpperCase()}`, `@${commit}`]) {
    it(`is not ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(() => parseAsked(text), { code: 'REF_NAME' });
    });
  }
});
