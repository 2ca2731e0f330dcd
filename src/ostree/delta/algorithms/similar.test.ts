import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type NamedFile, pairSimilar } from './similar.ts';

const file = (name: string, size = 1000): NamedFile => ({ name, size });
const found = (removed: readonly NamedFile[], added: NamedFile): string | undefined => {
  const [pair] = pairSimilar(removed, [added]);
  return pair && `${pair.likeness} ${pair.removed.name} ${pair.removed.size}`;
};

describe('an old file for a new one', () => {
  it('is the one at the same path before one of the same name, before one of the same stem', () => {
    const [path, name, stem] = [
      file('usr/lib/libx.so.1', 1200),
      file('opt/libx.so.1', 1100),
      file('usr/lib/libx.so.2'),
    ];
    const added = file('usr/lib/libx.so.1');
    assert.equal(found([stem, name, path], added), 'path usr/lib/libx.so.1 1200');
    assert.equal(found([stem, name], added), 'name opt/libx.so.1 1100');
    assert.equal(found([stem], added), 'stem usr/lib/libx.so.2 1000');
  });

  it('is the one of the nearest size, the smaller of two, the first of equals by name', () => {
    const added = file('x/app');
    assert.equal(found([file('a/app', 900), file('b/app', 1050), file('c/app', 1200)], added), 'name b/app 1050');
    assert.equal(found([file('a/app', 1010), file('b/app', 990)], added), 'name b/app 990');
    assert.equal(found([file('b/app', 990), file('a/app', 990), file('c/app', 1300)], added), 'name a/app 990');
    assert.equal(found([file('b/app', 1000), file('a/app', 1000)], added), 'name a/app 1000');
  });

  it('does not depend on the order of the old files', () => {
    const removed = [file('a/app', 990), file('b/app', 990), file('c/app.old', 1000), file('d/app', 1010)];
    assert.equal(found(removed, file('x/app')), found(removed.toReversed(), file('x/app')));
  });

  it('differs in size by 30 percent of the new one at most', () => {
    const added = file('app', 1000);
    assert.equal(found([file('app', 700)], added), 'path app 700');
    assert.equal(found([file('app', 1300)], added), 'path app 1300');
    assert.equal(found([file('app', 699)], added), undefined);
    assert.equal(found([file('app', 1301)], added), undefined);
  });

  it('is looked for further when the one at the same path is of another size', () => {
    assert.equal(found([file('bin/app', 5000), file('opt/app', 1001)], file('bin/app')), 'name opt/app 1001');
  });

  for (const [what, removed, added] of [
    ['another name', file('usr/bin/one'), file('usr/bin/two')],
    ['the name of a folder only', file('app/one'), file('app/two')],
    ['hidden files', file('.bashrc'), file('.profile')],
    ['xz files', file('a.xz'), file('a.xz')],
    ['bzip2 files', file('a.bz2'), file('a.bz2')],
    ['a new file that is compressed', file('data.tar'), file('data.tar.xz')],
    ['an old file that is compressed', file('data.tar.bz2'), file('data.tar')],
    ['empty files', file('a', 0), file('a', 0)],
  ] as const) {
    it(`is not found by ${what}`, () => assert.equal(found([removed], added), undefined));
  }

  it('may serve several, which come in their order and are the very objects given', () => {
    const removed = [file('lib/x.so.1')];
    const added = [file('lib/x.so.2'), file('lib/y.so'), file('lib/x.so.3')];
    assert.deepEqual(pairSimilar(removed, added), [
      { added: added[0], removed: removed[0], likeness: 'stem' },
      { added: added[2], removed: removed[0], likeness: 'stem' },
    ]);
    assert.equal(pairSimilar(removed, added)[0]?.removed, removed[0]);
  });
});
