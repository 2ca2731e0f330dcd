import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ASCENDING, anyVersionText } from './version.fixture.ts';
import { compareVersions, parseVersion, versionKey } from './version.ts';

const compare = (a: string, b: string): number => Math.sign(compareVersions(parseVersion(a), parseVersion(b)));
const show = (text: string): string => JSON.stringify(text);

/** Parts as plain values: numbers as bigint, strings as text. */
function partsOf(text: string): (bigint | string)[] {
  return parseVersion(text).parts.map((part) =>
    part.kind === 'number' ? BigInt(part.digits || '0') : part.bytes.toString('utf8'),
  );
}

describe('the parts of a version', () => {
  for (const [text, parts] of [
    ['1.0.0', [1n, 0n, 0n]],
    ['1.0.0-beta.2', [1n, 0n, 0n, 'beta', 2n]],
    ['1.0.0-beta-25856-ge63d979e22', [1n, 0n, 0n, 'beta', 25856n, 'ge63d979e22']],
    ['66.0.3359.117-1', [66n, 0n, 3359n, 117n, 1n]],
    ['1.2a', [1n, '2a']],
    ['v1.0', ['v1', 0n]],
    ['1.0+build.5', [1n, '0+build', 5n]],
    ['1._.0.0', [1n, 0n, 0n]],
    ['1..0', [1n, 0n]],
    ['1.0.0____', [1n, 0n, 0n]],
    ['.1', [1n]],
    ['-1', [1n]],
    ['', []],
    ['._-', []],
    ['1~2:3 4', ['1~2:3 4']],
    ['01.007', [1n, 7n]],
    ['18446744073709551616', [18446744073709551616n]],
    ['٣', ['٣']],
    ['１', ['１']],
    ['1\n', ['1\n']],
    [' 1', [' 1']],
    ['é.\u{1f600}', ['é', '\u{1f600}']],
  ] as const) {
    it(`of ${show(text)} are as the specification says`, () => {
      assert.deepEqual(partsOf(text), parts);
      assert.equal(parseVersion(text).text, text);
    });
  }
});

describe('the order of versions', () => {
  for (const [i, equal] of ASCENDING.entries()) {
    for (const text of equal.slice(1)) {
      it(`${show(equal[0] ?? '')} = ${show(text)}`, () => {
        assert.equal(compare(equal[0] ?? '', text), 0);
        assert.equal(compare(text, equal[0] ?? ''), 0);
      });
    }
    const next = ASCENDING[i + 1];
    if (next === undefined) continue;
    it(`${show(equal[0] ?? '')} < ${show(next[0] ?? '')}`, () => {
      for (const a of equal) for (const b of next) assert.equal(compare(a, b), -1, `${show(a)} < ${show(b)}`);
    });
  }

  it('is that of the table for every pair', () => {
    for (const [i, left] of ASCENDING.entries()) {
      for (const [j, right] of ASCENDING.entries()) {
        for (const a of left) for (const b of right) assert.equal(compare(a, b), Math.sign(i - j), `${a} ? ${b}`);
      }
    }
  });

  it('counts beyond 2^64 without losing a digit', () => {
    assert.equal(compare('18446744073709551615', '18446744073709551616'), -1);
    assert.equal(compare(`1${'0'.repeat(400)}`, `1${'0'.repeat(399)}1`), -1);
    assert.equal(compare(`${'0'.repeat(400)}1`, '1'), 0);
  });

  it('is reflexive, antisymmetric and total', () => {
    fc.assert(
      fc.property(anyVersionText, anyVersionText, (a, b) => {
        assert.equal(compare(a, a), 0);
        // "+ 0" since assert tells 0 from -0
        assert.equal(compare(a, b) + compare(b, a) + 0, 0);
        assert.ok(Number.isFinite(compareVersions(parseVersion(a), parseVersion(b))));
      }),
      { numRuns: 3000 },
    );
  });

  it('is transitive', () => {
    fc.assert(
      fc.property(anyVersionText, anyVersionText, anyVersionText, (a, b, c) => {
        if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0, [a, b, c].map(show).join(' <= '));
        if (compare(a, b) === 0) assert.equal(compare(a, c), compare(b, c), 'equal versions compare alike');
      }),
      { numRuns: 5000 },
    );
  });

  it('of strings is that of their UTF-8 bytes, not of UTF-16 units', () => {
    const word = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/[._-]|^[0-9]+$/.test(text));
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(compare(a, b), Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')));
      }),
    );
    assert.equal(compare('\uffee', '\u{1f600}'), -1);
    assert.ok('\uffee' > '\u{1f600}', 'the order of JavaScript is the other one');
  });

  it('does not see spelling: separators, leading zeros and trailing zero parts', () => {
    const part = fc.oneof(fc.nat({ max: 30 }).map(String), fc.constantFrom('a', 'rc', 'v1'));
    const separator = fc.constantFrom('.', '-', '_', '..', '._-');
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1 }),
        fc.infiniteStream(separator),
        fc.nat({ max: 3 }),
        (parts, separators, zeros) => {
          const plain = parts.join('.');
          const spelled = parts
            .map((text) => (/^[0-9]/.test(text) ? `00${text}` : text))
            .reduce((text, next) => text + separators.next().value + next);
          assert.equal(compare(plain, `${spelled}${'.0'.repeat(zeros)}-`), 0);
        },
      ),
    );
  });
});

describe('the key of a version', () => {
  it('is the same exactly for the equal versions of the table', () => {
    const keys = ASCENDING.map((equal) => new Set(equal.map((text) => versionKey(parseVersion(text)))));
    for (const key of keys) assert.equal(key.size, 1);
    assert.equal(new Set(keys.flatMap((key) => [...key])).size, ASCENDING.length);
  });

  it('is the same exactly for versions that compare as equal', () => {
    fc.assert(
      fc.property(anyVersionText, anyVersionText, (a, b) => {
        assert.equal(
          versionKey(parseVersion(a)) === versionKey(parseVersion(b)),
          compare(a, b) === 0,
          show(a) + show(b),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('tells a string apart from a number that looks like it', () => {
    assert.notEqual(versionKey(parseVersion('n1')), versionKey(parseVersion('1')));
    assert.notEqual(versionKey(parseVersion('1.a')), versionKey(parseVersion('1.sa')));
  });
});
