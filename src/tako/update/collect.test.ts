import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EMPTY_STATE, type Owed, type State } from '../destination/state.ts';
import { digest, entries } from '../manifest/manifest.fixture.ts';
import { planCollection, type StoredImage } from './collect.ts';

const PUBLISHED = entries('1.0=a 1.1=b 1.2=c 1.3=d 1.4=e');
const AT = '2024-01-01T00:00:00Z';

/** Stored images of 10 bytes, oldest first; a digit that is not published has no entry. */
function stored(digits: string, bytes = 10): StoredImage[] {
  return [...digits].map((digit) => ({
    sha256: digest(digit),
    bytes,
    entry: PUBLISHED.find((entry) => entry.sha256 === digest(digit)),
  }));
}

interface Case {
  readonly versions?: number;
  readonly bytes?: number;
  readonly latest?: string;
  readonly candidate?: string;
  readonly state?: Partial<State>;
}

/** The digits of the images that go. */
function gone(images: readonly StoredImage[], { versions, bytes, latest, candidate, state = {} }: Case): string {
  const protection = {
    latest: latest && digest(latest),
    candidate: candidate && digest(candidate),
    entries: PUBLISHED,
    state: { ...EMPTY_STATE, ...state },
  };
  return planCollection(images, { keepVersions: versions, keepBytes: bytes }, protection)
    .map((image) => image.sha256[0])
    .join('');
}

const previous = (digit: string): Partial<State> => ({ previous: digest(digit) });
const owed = (image: string, before: string | null): Owed => ({
  restart: [],
  reload: [],
  image: digest(image),
  previous: before && digest(before),
  reason: 'update',
  at: AT,
  runner: null,
});

describe('collecting by number of versions', () => {
  it('takes the oldest until so many are left', () => {
    assert.equal(gone(stored('abcde'), { versions: 2, latest: 'e', state: previous('d') }), 'abc');
    assert.equal(gone(stored('abcde'), { versions: 3, latest: 'e', state: previous('d') }), 'ab');
    assert.equal(gone(stored('abcde'), { versions: 4, latest: 'e', state: previous('d') }), 'a');
  });

  it('takes nothing when there are no more, or fewer, or none', () => {
    assert.equal(gone(stored('abcde'), { versions: 5, latest: 'e', state: previous('d') }), '');
    assert.equal(gone(stored('ab'), { versions: 5, latest: 'b', state: previous('a') }), '');
    assert.equal(gone([], { versions: 2 }), '');
  });

  it('takes unlisted images before any that has a version', () => {
    assert.equal(gone(stored('90abc'), { versions: 3, latest: 'c', state: previous('b') }), '90');
    assert.equal(gone(stored('90abc'), { versions: 4, latest: 'c', state: previous('b') }), '9');
  });

  it('takes a newer one in place of an old one that is protected', () => {
    assert.equal(gone(stored('abcde'), { versions: 2, latest: 'a', state: previous('b') }), 'cde');
  });
});

describe('collecting by bytes', () => {
  it('takes the oldest until the rest fits', () => {
    assert.equal(gone(stored('abcde'), { bytes: 49, latest: 'e', state: previous('d') }), 'a');
    assert.equal(gone(stored('abcde'), { bytes: 40, latest: 'e', state: previous('d') }), 'a');
    assert.equal(gone(stored('abcde'), { bytes: 39, latest: 'e', state: previous('d') }), 'ab');
  });

  it('takes nothing when it fits exactly', () => {
    assert.equal(gone(stored('abcde'), { bytes: 50, latest: 'e', state: previous('d') }), '');
  });

  it('leaves current and previous image even above the limit', () => {
    assert.equal(gone(stored('abcde'), { bytes: 0, latest: 'e', state: previous('d') }), 'abc');
    assert.equal(gone(stored('ab'), { bytes: 0, latest: 'b', state: previous('a') }), '');
  });
});

describe('collecting', () => {
  it('without limits takes nothing', () => assert.equal(gone(stored('90abcde'), { latest: 'e' }), ''));

  it('by both limits takes what either wants gone', () => {
    const base = { latest: 'e', state: previous('d') };
    assert.equal(gone(stored('abcde'), { ...base, versions: 4, bytes: 30 }), 'ab');
    assert.equal(gone(stored('abcde'), { ...base, versions: 3, bytes: 40 }), 'ab');
    assert.equal(gone(stored('abcde'), { ...base, versions: 9, bytes: 900 }), '');
  });

  it('without memory of a previous image keeps the newest of the others', () => {
    assert.equal(gone(stored('abcde'), { versions: 2, latest: 'e' }), 'abc');
    assert.equal(gone(stored('abcde'), { versions: 2, latest: 'a' }), 'bcd');
    assert.equal(gone(stored('abcde'), { bytes: 0, latest: 'c' }), 'abd');
  });

  it('keeps the candidate, downloaded and not linked yet', () => {
    assert.equal(gone(stored('abcde'), { bytes: 0, latest: 'b', candidate: 'e', state: previous('a') }), 'cd');
  });

  it('keeps a held version, whatever its spelling', () => {
    const hold = { version: '1.0.0', reason: 'hold', at: AT } as const;
    assert.equal(gone(stored('abcde'), { bytes: 0, latest: 'e', state: { ...previous('d'), hold } }), 'bc');
  });

  it('keeps what an unpaid restart links, and the way back from it', () => {
    assert.equal(gone(stored('abcde'), { bytes: 0, latest: 'e', state: { owed: owed('e', 'c') } }), 'abd');
    assert.equal(
      gone(stored('abcde'), { bytes: 0, latest: 'e', state: { ...previous('b'), owed: owed('d', 'c') } }),
      'a',
    );
    assert.equal(
      gone(stored('abcde'), { bytes: 0, latest: 'e', state: { owed: owed('e', null) } }).includes('e'),
      false,
    );
  });

  it('does not stumble over memories of images that are not stored', () => {
    const hold = { version: '9.9', reason: 'hold', at: AT } as const;
    assert.equal(
      gone(stored('bcde'), { versions: 2, latest: '7', candidate: '8', state: { ...previous('9'), hold } }),
      'bc',
    );
  });

  it('never takes current, previous, candidate or the last image, and only takes what a limit asks for', () => {
    const digit = fc.constantFrom(...'abcde');
    fc.assert(
      fc.property(
        fc.subarray([...'90abcde']),
        fc.record(
          { versions: fc.integer({ min: 2, max: 8 }), bytes: fc.nat({ max: 80 }), latest: digit, candidate: digit },
          { requiredKeys: [] },
        ),
        fc.option(digit, { nil: undefined }),
        (digits, limits, before) => {
          const images = stored(digits.join(''));
          const taken = gone(images, { ...limits, ...(before === undefined ? {} : { state: previous(before) }) });
          for (const kept of [limits.latest, limits.candidate, before])
            assert.ok(kept === undefined || !taken.includes(kept));
          assert.equal(
            [...taken].sort((a, b) => digits.indexOf(a) - digits.indexOf(b)).join(''),
            taken,
            'oldest first',
          );
          // Had the last one stayed, one of the limits would still be broken.
          const left = images.length - taken.length + 1;
          const broken = left > (limits.versions ?? Infinity) || left * 10 > (limits.bytes ?? Infinity);
          assert.ok(taken === '' || broken);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
