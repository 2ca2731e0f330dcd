import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digest, entries, entry } from './manifest.fixture.ts';
import { relate } from './relation.ts';

describe('a remote manifest', () => {
  /** spec/tako.md 3.3: stored, remote, what it is. */
  for (const [title, stored, remote, expected] of [
    ['that lacks a stored version is older', '1.0=a 1.1=b', '1.0=a', 'older'],
    ['with another image for a stored version contradicts', '1.0=a', '1.0=b', 'contradiction'],
    ['with a stored version spelled otherwise is accepted', '1.0=a', '1.0.0=a', 'superset'],
    ['that lists a stored version twice is accepted', '1.0=a', '1.0=a 1.0=a', 'superset'],
    ['that lists a version once that is stored twice is older', '1.0=a 1.0=a', '1.0=a', 'older'],
    ['to which an older version was added later is accepted', '1.1=b', '1.0=a 1.1=b', 'superset'],
    ['with the stored versions in another order contradicts', '1.0=a 1.1=b', '1.1=b 1.0=a', 'contradiction'],
    ['that is the stored one is accepted', '1.0=a 1.1=b', '1.0=a 1.1=b', 'superset'],
    ['with a newer version is accepted', '1.0=a', '1.0=a 1.1=b', 'superset'],
    ['with versions all around is accepted', '1.0=a 2.0=b', '0.1=c 1.0=a 1.5=d 2.0=b 3.0=e', 'superset'],
    ['is accepted when nothing is stored', '', '1.0=a', 'superset'],
    ['without entries is accepted when nothing is stored', '', '', 'superset'],
    ['without entries is older than any', '1.0=a', '', 'older'],
    ['with other versions only contradicts', '1.0=a', '2.0=b', 'contradiction'],
    ['that lost one version and gained another contradicts', '1.0=a 1.1=b', '1.0=a 1.2=c', 'contradiction'],
    ['that lost the first version is older', '1.0=a 1.1=b', '1.1=b', 'older'],
    ['that swapped the images of two versions contradicts', '1.0=a 1.1=b', '1.0=b 1.1=a', 'contradiction'],
    ['with the same image under another version contradicts', '1.0=a', '1.1=a', 'contradiction'],
  ] as const) {
    it(title, () => assert.equal(relate(entries(stored), entries(remote)), expected));
  }

  it('with another size for a stored version contradicts', () => {
    assert.equal(relate([entry('1.0', digest('a'), 5)], [entry('1.0', digest('a'), 6)]), 'contradiction');
    const large = 2n ** 64n - 1n;
    assert.equal(relate([entry('1.0', digest('a'), large)], [entry('1.0', digest('a'), large - 1n)]), 'contradiction');
  });

  const list = fc.array(fc.constantFrom('1.0=a', '1.0=b', '1.1=a', '1.2=b', '2=c'), { maxLength: 5 });

  it('to which anything is inserted stays a superset, and one from which something is taken is not', () => {
    fc.assert(
      fc.property(list, list, fc.nat(), (stored, more, at) => {
        const grown = stored.toSpliced(at % (stored.length + 1), 0, ...more);
        assert.equal(relate(entries(stored.join(' ')), entries(grown.join(' '))), 'superset');
        if (more.length > 0) assert.equal(relate(entries(grown.join(' ')), entries(stored.join(' '))), 'older');
      }),
    );
  });

  it('is never accepted with fewer entries, or without one of the stored', () => {
    fc.assert(
      fc.property(list, list, (stored, remote) => {
        if (relate(entries(stored.join(' ')), entries(remote.join(' '))) !== 'superset') return;
        assert.ok(remote.length >= stored.length);
        for (const word of stored) assert.ok(remote.includes(word));
      }),
      { numRuns: 1000 },
    );
  });
});
