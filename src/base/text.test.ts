import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatBytes, nearest, plural, printable, quote } from './text.ts';

describe('printable text', () => {
  for (const [what, text, shown] of [
    ['a newline', 'a\nb', 'a\\u{a}b'],
    ['a carriage return', '\r', '\\u{d}'],
    ['a tab', '\t', '\\u{9}'],
    ['NUL', '\0', '\\u{0}'],
    ['an escape sequence', '\x1b[31m', '\\u{1b}[31m'],
    ['DEL', '\x7f', '\\u{7f}'],
    ['a C1 control that begins an escape sequence', '\x9b31m', '\\u{9b}31m'],
    ['a C1 next line', '\x85', '\\u{85}'],
    ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
    ['a bidirectional isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['an Arabic letter mark', '\u061c', '\\u{61c}'],
    ['a zero-width space', '\u200b', '\\u{200b}'],
    ['a byte order mark', '\ufeff', '\\u{feff}'],
    ['a soft hyphen', '\u00ad', '\\u{ad}'],
    ['a line separator', '\u2028', '\\u{2028}'],
    ['a paragraph separator', '\u2029', '\\u{2029}'],
    ['an invisible tag', '\u{e0041}', '\\u{e0041}'],
    ['a private character', '\ue000', '\\u{e000}'],
    ['a lone high surrogate', 'a\ud83db', 'a\\u{d83d}b'],
    ['a lone low surrogate', '\ude00', '\\u{de00}'],
    ['surrogates in the wrong order', '\ude00\ud83d', '\\u{de00}\\u{d83d}'],
  ] as const) {
    it(`shows ${what} as an escape`, () => assert.equal(printable(text), shown));
  }

  for (const text of ['', 'plain', 'with blanks', 'é', 'ß', '日本', '\u{1f600}', '-_.*', '"\\']) {
    it(`leaves ${JSON.stringify(text)} alone`, () => assert.equal(printable(text), text));
  }

  it('never acts on a terminal, whatever comes in', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\x1b', '\x9b', '\ud800', '\udc00', '\u202e', '\n', 'a') }),
    );
    fc.assert(
      fc.property(nasty, (text) => {
        assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        assert.equal(printable(printable(text)), printable(text));
      }),
    );
  });
});

describe('quoted text', () => {
  it('stands in quotes, with quotes and backslashes escaped', () => {
    assert.equal(quote(''), '""');
    assert.equal(quote('a b'), '"a b"');
    assert.equal(quote('a"b\\c'), '"a\\"b\\\\c"');
    assert.equal(quote('\x1b[0m'), '"\\u{1b}[0m"');
  });

  it('is cut after so many characters, and never inside one', () => {
    assert.equal(quote('abc', 3), '"abc"');
    assert.equal(quote('abcd', 3), '"abc…"');
    assert.equal(quote('\u{1f600}\u{1f600}\u{1f600}', 2), '"\u{1f600}\u{1f600}…"');
    assert.equal(quote('x'.repeat(80)), `"${'x'.repeat(80)}"`);
    assert.equal(quote('x'.repeat(81)), `"${'x'.repeat(80)}…"`);
  });
});

describe('a number of bytes for people', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [100 * 1024, '100 KiB'],
    [2 ** 20, '1.0 MiB'],
    [2.5 * 2 ** 30, '2.5 GiB'],
    [2 ** 40, '1.0 TiB'],
    [2n ** 50n, '1.0 PiB'],
    [2n ** 64n - 1n, '16384 PiB'],
  ] as const) {
    it(`${bytes} is ${text}`, () => assert.equal(formatBytes(bytes), text));
  }

  it('never counts 1024 of a unit when there is a larger one', () => {
    for (const bytes of [2 ** 20 - 1, 2 ** 30 - 1, 2 ** 40 - 1]) assert.doesNotMatch(formatBytes(bytes), /^1024 /);
  });

  it('has three digits at most before the unit', () => {
    for (const bytes of [99.96 * 1024, 999 * 1024, 500 * 2 ** 20, 123_456_789]) {
      assert.ok(formatBytes(bytes).replace(/[^0-9]/g, '').length <= 3, formatBytes(bytes));
    }
  });
});

describe('a count', () => {
  it('takes the plural but for one', () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => plural(count, 'image')),
      ['0 images', '1 image', '2 images'],
    );
  });
});

describe('the nearest known word', () => {
  const KEYS = ['Origin', 'PublicKey', 'Version', 'Destination', 'Restart', 'RestartUnit'];

  for (const [typed, meant] of [
    ['Origin', 'Origin'],
    ['origin', 'Origin'],
    ['Orign', 'Origin'],
    ['Oirgin', 'Origin'],
    ['PUBLICKEY', 'PublicKey'],
    ['Public-Key', 'PublicKey'],
    ['Verison', 'Version'],
    ['Restrat', 'Restart'],
    ['Destinaton', 'Destination'],
  ] as const) {
    it(`to ${typed} is ${meant}`, () => assert.equal(nearest(typed, KEYS), meant));
  }

  for (const typed of ['Colour', 'zzzzzzzz', 'x'.repeat(12)]) {
    it(`to ${typed} is none`, () => assert.equal(nearest(typed, KEYS), undefined));
  }

  it('is none when nothing is known', () => assert.equal(nearest('word', []), undefined));

  it('is none for a long text that has nothing to do with any', () => {
    assert.equal(nearest('x'.repeat(300), KEYS), undefined);
  });

  it('is none for a short word that shares no letter with it', () => {
    assert.equal(nearest('xy', ['gc']), undefined);
  });

  it('is found quickly, or not at all, for a huge text', () => {
    const before = performance.now();
    nearest('x'.repeat(2 ** 20), KEYS);
    assert.ok(performance.now() - before < 1000);
  });
});
