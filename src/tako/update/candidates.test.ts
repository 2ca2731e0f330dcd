import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareVersions, matches, parsePattern, parseVersion } from '../../version/index.ts';
import type { Mark } from '../destination/state.ts';
import { digest, entries } from '../manifest/manifest.fixture.ts';
import { type Choice, chooseCandidates, currentEntry } from './candidates.ts';

const AT = '2024-01-01T00:00:00Z';
const mark = (version: string, reason: Mark['reason']): Mark => ({ version, reason, at: AT });

interface Situation {
  /** Digit of the digest that `latest` names. */
  readonly latest?: string;
  readonly hold?: string;
  readonly skip?: readonly string[];
}

function choose(pattern: string, published: string, { latest, hold, skip = [] }: Situation = {}): Choice {
  return chooseCandidates(entries(published), parsePattern(pattern), latest && digest(latest), {
    hold: hold === undefined ? null : mark(hold, 'hold'),
    skip: skip.map((version) => mark(version, 'rollback')),
  });
}

/** The versions to try, in order. */
function order(pattern: string, published: string, situation: Situation = {}): string[] {
  return choose(pattern, published, situation).candidates.map((entry) => entry.version.text);
}

const ALL = '1.0=a 1.1=b 1.2=c 2.0=d';

describe('the images to try', () => {
  it('are those that the pattern allows, newest first', () => {
    assert.deepEqual(order('*', ALL), ['2.0', '1.2', '1.1', '1.0']);
    assert.deepEqual(order('1.*', ALL), ['1.2', '1.1', '1.0']);
    assert.deepEqual(order('1.1', ALL), ['1.1']);
    assert.deepEqual(order('1.1 <= v < 2.0', ALL), ['1.2', '1.1']);
  });

  it('do not depend on the order of the manifest', () => {
    assert.deepEqual(order('*', '2.0=d 1.0=a 1.10=c 1.9=b'), ['2.0', '1.10', '1.9', '1.0']);
  });

  it('are none when nothing matches, and none of nothing', () => {
    const choice = choose('3.*', ALL, { latest: 'a' });
    assert.deepEqual([choice.candidates, choice.newest, choice.current?.version.text], [[], undefined, '1.0']);
    assert.deepEqual(choose('*', ''), { candidates: [], newest: undefined, current: undefined });
  });

  it('take a pre-release under a wildcard', () => {
    assert.deepEqual(order('1.*', '1.5=a 1.6-alpha=b'), ['1.6-alpha', '1.5']);
  });
});

describe('what stands in for a withdrawn image', () => {
  it('is never older than what is linked now', () => {
    assert.deepEqual(order('*', ALL, { latest: 'b' }), ['2.0', '1.2', '1.1']);
    assert.deepEqual(order('*', ALL, { latest: 'd' }), ['2.0']);
    assert.deepEqual(order('1.*', ALL, { latest: 'c' }), ['1.2']);
  });

  it('may be any compatible one while nothing is linked', () => {
    assert.deepEqual(order('1.*', ALL), ['1.2', '1.1', '1.0']);
  });

  it('may be any compatible one when an image is linked that the manifest does not list', () => {
    assert.deepEqual(order('1.*', ALL, { latest: '9' }), ['1.2', '1.1', '1.0']);
  });

  it('may be older than what is linked when the pattern was moved below that', () => {
    assert.deepEqual(order('1.*', ALL, { latest: 'd' }), ['1.2', '1.1', '1.0']);
  });

  it('may be any allowed one when the pattern was moved above what is linked', () => {
    assert.deepEqual(order('1.1 <= v < 3', ALL, { latest: 'a' }), ['2.0', '1.2', '1.1']);
  });

  it('counts an equal version of another spelling as not older', () => {
    assert.deepEqual(order('*', '1.0=a 1.0.0=a 2.0=b', { latest: 'a' }), ['2.0', '1.0', '1.0.0']);
  });
});

describe('a held version', () => {
  it('is the only one taken, newer or older than what is linked', () => {
    assert.deepEqual(order('*', ALL, { hold: '1.1' }), ['1.1']);
    assert.deepEqual(order('*', ALL, { hold: '1.1', latest: 'd' }), ['1.1']);
    assert.deepEqual(order('*', ALL, { hold: '2.0', latest: 'a' }), ['2.0']);
  });

  it('is known in any spelling', () => assert.deepEqual(order('*', ALL, { hold: '1_1.0' }), ['1.1']));

  it('that is not published leaves nothing to take', () => assert.deepEqual(order('*', ALL, { hold: '1.5' }), []));

  it('wins over a skip', () => assert.deepEqual(order('*', ALL, { hold: '2.0', skip: ['2.0'] }), ['2.0']));

  it('does not hide that there is a newer one', () => {
    assert.equal(choose('*', ALL, { hold: '1.1' }).newest?.version.text, '2.0');
  });
});

describe('a skipped version', () => {
  it('is not taken again: the host stays on what is linked', () => {
    assert.deepEqual(order('*', ALL, { skip: ['2.0'], latest: 'c' }), ['1.2']);
  });

  it('keeps the host from all that is not above it, also what lies in between', () => {
    assert.deepEqual(order('*', ALL, { skip: ['2.0'], latest: 'a' }), ['1.0']);
    assert.deepEqual(order('*', ALL, { skip: ['1.2'], latest: 'a' }), ['2.0', '1.0']);
  });

  it('of several is the newest that counts, in whatever order they were skipped', () => {
    for (const skip of [
      ['1.1', '2.0'],
      ['2.0', '1.1'],
    ]) {
      assert.deepEqual(order('*', `${ALL} 2.1=e`, { skip, latest: 'a' }), ['2.1', '1.0']);
    }
  });

  it('is known in any spelling', () => {
    assert.deepEqual(order('*', ALL, { skip: ['2'], latest: 'c' }), ['1.2']);
    assert.deepEqual(order('*', ALL, { skip: ['2_0.0'] }), ['1.2', '1.1', '1.0']);
  });

  it('ends to matter with a version above it', () => {
    assert.deepEqual(order('*', `${ALL} 2.0.1=e`, { skip: ['2.0'], latest: 'c' })[0], '2.0.1');
    assert.deepEqual(order('*', `${ALL} 2.0-rc=e`, { skip: ['2.0'], latest: 'c' }), ['1.2'], 'a pre-release is below');
  });

  it('leaves all others when nothing is linked to stay on', () => {
    assert.deepEqual(order('*', ALL, { skip: ['2.0', '1.1'] }), ['1.2', '1.0']);
    assert.deepEqual(order('1.0', ALL, { skip: ['1.0'] }), []);
  });

  it('that the pattern does not allow does not matter less: nothing below it is new', () => {
    assert.deepEqual(order('1.*', ALL, { skip: ['2.0'], latest: 'a' }), ['1.0']);
  });

  it('does not hide that there is a newer one', () => {
    assert.equal(choose('*', ALL, { skip: ['2.0'], latest: 'c' }).newest?.version.text, '2.0');
  });
});

describe('the linked image', () => {
  const current = (published: string, pattern: string, latest: string | undefined): string | undefined =>
    currentEntry(entries(published), parsePattern(pattern), latest && digest(latest))?.version.text;

  it('is the entry that lists it', () => {
    assert.equal(current(ALL, '*', 'b'), '1.1');
    assert.equal(current(ALL, '*', undefined), undefined);
    assert.equal(current(ALL, '*', '9'), undefined);
    assert.equal(current('', '*', 'a'), undefined);
  });

  it('under several versions is the newest one that the pattern allows', () => {
    assert.equal(current('1.0=a 1.1=a 2.0=a', '1.*', 'a'), '1.1');
    assert.equal(current('2.0=a 1.1=a 1.0=a', '*', 'a'), '2.0');
  });

  it('outside of the pattern is the newest of all', () => {
    assert.equal(current('1.0=a 2.0=a', '3.*', 'a'), '2.0');
  });
});

describe('whatever is published, linked, held and skipped,', () => {
  const version = fc.constantFrom('1.0', '1.0.0', '1.1-rc', '1.1', '1.2', '2.0', '2.0-beta', 'v1', '3');
  const published = fc.uniqueArray(
    fc.tuple(version, fc.constantFrom(...'abcdef')).map(([text, digit]) => `${text}=${digit}`),
    { maxLength: 8 },
  );
  const situation = fc.record(
    { latest: fc.constantFrom(...'abcdef'), hold: version, skip: fc.array(version, { maxLength: 3 }) },
    { requiredKeys: [] },
  );

  it('only what the pattern allows is tried, newest first, and stand-ins are never below the linked one', () => {
    const pattern = fc.constantFrom('*', '1.*', '1.0', '1.0 <= v < 2.0', '2');
    fc.assert(
      fc.property(pattern, published, situation, (text, words, now) => {
        const { candidates, current } = choose(text, words.join(' '), now);
        const allowed = parsePattern(text);
        for (const [i, candidate] of candidates.entries()) {
          assert.ok(matches(allowed, candidate.version));
          const next = candidates[i + 1];
          if (next !== undefined) assert.ok(compareVersions(candidate.version, next.version) >= 0);
          if (i > 0 && current !== undefined && matches(allowed, current.version)) {
            assert.ok(compareVersions(candidate.version, current.version) >= 0);
          }
          if (now.hold !== undefined) assert.equal(compareVersions(candidate.version, parseVersion(now.hold)), 0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
