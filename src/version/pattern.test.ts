import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matches, parsePattern, select } from './pattern.ts';
import { ASCENDING, anyVersionText } from './version.fixture.ts';
import { compareVersions, parseVersion } from './version.ts';

const matching = (pattern: string, version: string): boolean => matches(parsePattern(pattern), parseVersion(version));
const choose = (pattern: string, ...versions: readonly string[]): string[] =>
  select(parsePattern(pattern), versions, parseVersion);
const EVERY = ASCENDING.flat();

/** Rows of spec/tako.md 4.3: patterns, what they match, what they do not. */
const TABLE: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
  [['*', '*.', '.*', '_*-'], EVERY, []],
  [
    ['1.*', '1.*.', '1-*', '01.*', '1..*'],
    ['1', '1.0', '1.0.0', '1.9', '1.10', '1-beta', '1.0-beta', '1.10-rc.1', '1.2a', '1.*'],
    ['0.9', '2', '2.0-beta', '10', 'v1', '', 'a'],
  ],
  [
    ['1.0.*', '1.0-*', '1_0_*'],
    ['1', '1.0', '1.0.7', '1.0-beta', '1.0.0-rc.1'],
    ['1-beta', '1.1', '1.2a', '0', '2'],
  ],
  [['0.*'], ['', '0', '0.0', '0.a', '0.1'], ['1', 'a']],
  [
    ['1', '01', '1.0.0.0', '1-0'],
    ['1', '1.0', '1.0.0'],
    ['1.0.0-beta', '1.0.1', '1.1', '', '2'],
  ],
  [
    ['0', '0.0', '.', '-'],
    ['', '0', '0.0'],
    ['0.a', '0.1', '1', 'a'],
  ],
  [['v1.*'], ['v1', 'v1.0.0', 'v1.5'], ['1.0', 'v10', 'v2']],
  [['a.*'], ['a', 'a.b', 'a.1'], ['b', '', '0']],
];

describe('a pattern', () => {
  for (const [patterns, good, bad] of TABLE) {
    for (const pattern of patterns) {
      it(`${JSON.stringify(pattern)} matches what the table of the specification says`, () => {
        for (const version of good)
          assert.equal(matching(pattern, version), true, `matches ${JSON.stringify(version)}`);
        for (const version of bad) assert.equal(matching(pattern, version), false, `not ${JSON.stringify(version)}`);
      });
    }
  }

  for (const pattern of ['1.*.*', '*.1', '1.*-beta', '1*', '**', '1.*x']) {
    it(`${pattern} matches a version spelled so, and no ordinary one`, () => {
      assert.equal(matching(pattern, pattern), true);
      for (const version of ['1.0', '1', '1.1', '1.5-beta', '1.0.0', '2.1', '11', '']) {
        assert.equal(matching(pattern, version), false, version);
      }
    });
  }

  it('with a star that is not a part of its own at the end is a fixed version', () => {
    for (const pattern of ['*.1', '1.*-beta', '1*', '**', '1.*x']) assert.equal(parsePattern(pattern).kind, 'fixed');
  });

  it('keeps its text', () => {
    for (const text of ['*', '1.*.', '01', '1.0 <= v < 2.0']) assert.equal(parsePattern(text).text, text);
  });

  it('that is fixed matches exactly the versions equal to it', () => {
    fc.assert(
      fc.property(anyVersionText, anyVersionText, (text, version) => {
        const pattern = tryParse(text);
        if (pattern?.kind !== 'fixed') return;
        const equal = compareVersions(parseVersion(text), parseVersion(version)) === 0;
        assert.equal(matches(pattern, parseVersion(version)), equal);
      }),
      { numRuns: 2000 },
    );
  });

  it('with a wildcard matches what begins with what stands before the star', () => {
    const number = fc.nat({ max: 3 });
    const numbers = fc.array(number, { maxLength: 4 });
    fc.assert(
      fc.property(numbers, numbers, (prefix, version) => {
        const expected = prefix.every((part, i) => part === (version[i] ?? 0));
        assert.equal(matching([...prefix, '*'].join('.'), version.join('.')), expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('is a pattern or a PATTERN_MALFORMED, and matching never fails, whatever comes in', () => {
    const text = fc.oneof(
      anyVersionText,
      fc
        .tuple(anyVersionText, fc.constantFrom(' <= v < ', '<=v<', ' <= v <= ', ' < ', '\t<= v < '), anyVersionText)
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, anyVersionText, (pattern, version) => {
        const parsed = tryParse(pattern);
        if (parsed !== undefined) assert.equal(typeof matches(parsed, parseVersion(version)), 'boolean');
      }),
      { numRuns: 2000 },
    );
  });
});

function tryParse(text: string) {
  try {
    return parsePattern(text);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'PATTERN_MALFORMED', String(error));
    return undefined;
  }
}

describe('a pattern that is refused', () => {
  for (const text of [
    '',
    ' ',
    '* ',
    ' *',
    '*\n',
    '1.0\t',
    '1.0\r',
    '1 2',
    '1.0\u00a0',
    '* # comment',
    '<',
    '>',
    '< 2.0',
    '<2.0',
    '>=1.0',
    '>= 1.0',
    'v < 2.0',
    '1.0 <= v',
    '1.0 < v < 2.0',
    '1.0 <= v <= 2.0',
    '1.0 < v <= 2.0',
    '1.0 >= v > 2.0',
    '2.0 > v >= 1.0',
    '1.0<=v<2.0',
    '1.0 <=v< 2.0',
    '1.0 < = v < 2.0',
    '1.0 <= V < 2.0',
    '1.0 <= x < 2.0',
    '1.0 <= vv < 2.0',
    ' 1.0 <= v < 2.0',
    '1.0 <= v < 2.0 ',
    '1.0 <= v < 2.0\n',
    '1.0\t<= v < 2.0',
    '1.0 <= v <\t2.0',
    '1.0\u00a0<= v < 2.0',
    '<= v < 2.0',
    ' <= v < 2.0',
    '1.0 <= v <',
    '1.0 <= v < ',
    '1.0 <= v < 2.0 3.0',
    '1.0 <= v < 2.0 # comment',
    '1.* <= v < 2.0',
    '1.0 <= v < 2.*',
    '* <= v < *',
    '-- <= v < 2.0',
    '1.0 <= v < ..',
    '1.0 <= v < <2.0',
    '>1.0 <= v < 2.0',
  ]) {
    it(`is ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePattern(text), { name: 'CodedError', code: 'PATTERN_MALFORMED' });
    });
  }

  it('is a lower bound that is not below the upper one: it could never match', () => {
    for (const text of ['2.0 <= v < 1.0', '1.0 <= v < 1.0', '1 <= v < 1.0.0', '0 <= v < 0', '2.0-beta <= v < 2.0'])
      assert.throws(() => parsePattern(text), { code: 'PATTERN_MALFORMED' }, text);
  });
});

describe('bounds', () => {
  for (const [version, expected] of [
    ['1.0-beta', false],
    ['0.9', false],
    ['a', false],
    ['', false],
    ['1.0', true],
    ['1', true],
    ['1.0.0', true],
    ['1.7', true],
    ['1.8-rc.1', true],
    ['1.99999999999999999999999', true],
    ['2.0-beta', false],
    ['2-beta', false],
    ['2.0.0-rc.1', false],
    ['2.0', false],
    ['2', false],
    ['2.0.1', false],
    ['10', false],
  ] as const) {
    it(`from 1.0 to 2.0 ${expected ? 'take' : 'leave'} ${JSON.stringify(version)}`, () => {
      assert.equal(matching('1.0 <= v < 2.0', version), expected);
      assert.equal(matching('1 <= v < 2.0.0', version), expected, 'trailing zeros make no difference');
    });
  }

  it('may be written with more than one space', () => {
    assert.equal(matching('1.0   <=  v    <  2.0', '1.5'), true);
  });

  it('exclude the pre-releases of an upper bound that has several parts, and those only', () => {
    const pattern = '1.2 <= v < 1.10.3';
    for (const version of ['1.2', '1.10', '1.10.2', '1.10.2.9', '1.10-rc.1', '1.10.2-rc.1'])
      assert.equal(matching(pattern, version), true, version);
    for (const version of ['1.1', '1.2-rc.1', '1.10.3-rc.1', '1.10.3', '1.10.3.a', '1.11'])
      assert.equal(matching(pattern, version), false, version);
  });

  it('take pre-releases of the lower bound when it is one', () => {
    assert.equal(matching('1.0-beta <= v < 2.0', '1.0-beta'), true);
    assert.equal(matching('1.0-beta <= v < 2.0', '1.0-alpha'), false);
    assert.equal(matching('1.0-beta <= v < 2.0', '1.0-rc.1'), true);
  });

  it('may end at a pre-release', () => {
    assert.equal(matching('1.0-alpha <= v < 1.0-rc', '1.0-beta'), true);
    assert.equal(matching('1.0-alpha <= v < 1.0-rc', '1.0-rc'), false);
    assert.equal(matching('1.0-alpha <= v < 1.0-rc', '1.0'), false);
  });

  it('take nothing below the lower one and nothing at or above the upper one', () => {
    const bound = anyVersionText.filter((text) => /^[^\s<>*]+$/u.test(text) && parseVersion(text).parts.length > 0);
    fc.assert(
      fc.property(bound, bound, anyVersionText, (low, high, version) => {
        const pattern = tryParse(`${low} <= v < ${high}`);
        if (pattern === undefined || !matches(pattern, parseVersion(version))) return;
        assert.ok(compareVersions(parseVersion(low), parseVersion(version)) <= 0);
        assert.ok(compareVersions(parseVersion(version), parseVersion(high)) < 0);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('selecting', () => {
  it('gives what matches, newest first, in whatever order it came', () => {
    assert.deepEqual(choose('1.*', '1.2', '0.9', '1.10', '2.0', '1.9'), ['1.10', '1.9', '1.2']);
    assert.deepEqual(choose('*', '2.0', '1.0'), ['2.0', '1.0']);
  });

  it('takes pre-releases under a wildcard', () => {
    assert.deepEqual(choose('1.*', '1.5', '1.6-alpha'), ['1.6-alpha', '1.5']);
  });

  it('keeps the order of equal versions', () => {
    assert.deepEqual(choose('1', '1.0', '1', '01'), ['1.0', '1', '01']);
  });

  it('gives nothing when nothing matches, and from nothing', () => {
    assert.deepEqual(choose('3.*', '1.0', '2.0'), []);
    assert.deepEqual(choose('*'), []);
  });

  it('leaves the list it was given as it was', () => {
    const versions = ['1.0', '2.0'];
    select(parsePattern('*'), versions, parseVersion);
    assert.deepEqual(versions, ['1.0', '2.0']);
  });
});
