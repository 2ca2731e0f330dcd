import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitWords } from './words.ts';

describe('a command line', () => {
  for (const [line, words] of [
    ['', []],
    ['   ', []],
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['  a \t b  ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ["'a b' c", ['a b', 'c']],
    ['""', ['']],
    ["''", ['']],
    ['a "" b', ['a', '', 'b']],
    [`"it's"`, ["it's"]],
    [`'say "x"'`, ['say "x"']],
    ['a"b c"d', ['ab cd']],
    ['"a""b"', ['ab']],
    ['--x="a b"', ['--x=a b']],
    ['a\tb', ['a', 'b']],
    ['$HOME $X %n *.c ; | > & # `x`', ['$HOME', '$X', '%n', '*.c', ';', '|', '>', '&', '#', '`x`']],
    ['é \u{1f600}', ['é', '\u{1f600}']],
  ] as const) {
    it(`${JSON.stringify(line)} has the words ${JSON.stringify(words)}`, () =>
      assert.deepEqual(splitWords(line), words));
  }

  for (const [line, word] of [
    ['\\a\\b\\f\\n\\r\\t\\v', '\x07\b\f\n\r\t\v'],
    ['\\\\', '\\'],
    ['\\"', '"'],
    ["\\'", "'"],
    ['a\\sb', 'a b'],
    ['\\x41', 'A'],
    ['\\x7e', '~'],
    ['\\101', 'A'],
    ['\\u00e9', 'é'],
    ['\\U0001F600', '\u{1f600}'],
    ['\\U0010ffff', '\u{10ffff}'],
    ['"a\\"b"', 'a"b'],
    ["'a\\'b'", "a'b"],
    ['"\\x41\\s"', 'A '],
    ['\\x414', 'A4'],
    ['\\1011', 'A1'],
    ['\\\\x41', '\\x41'],
    ['\\u00e9e', 'ée'],
  ] as const) {
    it(`with the escapes ${line} is one word`, () => assert.deepEqual(splitWords(line), [word]));
  }

  it('with an escaped blank does not end a word there', () => {
    assert.deepEqual(splitWords('a\\x20b c'), ['a b', 'c']);
  });

  for (const line of ['"', "'", 'a "b', "a 'b c", '"a\'', '"a\\"', 'a"b']) {
    it(`${JSON.stringify(line)}, with a quote that is not closed, is refused`, () =>
      assert.equal(splitWords(line), undefined));
  }

  for (const line of [
    '\\',
    'a\\',
    '"a\\',
    '\\q',
    '\\z',
    '\\ ',
    '\\$',
    '\\x',
    '\\x4',
    '\\xg1',
    '\\8',
    '\\18',
    '\\1',
    '\\u00e',
    '\\U0001F60',
    '\\U00110000',
    '\\Uffffffff',
    '\\ud800',
    '\\U0000dfff',
    '\\x00',
    '\\000',
    '\\u0000',
    '\\U00000000',
  ]) {
    it(`${line}, with an escape that systemd does not know or that names no character, is refused`, () => {
      assert.equal(splitWords(line), undefined);
    });
  }

  it('with an octal escape beyond a byte is refused, as systemd does', () => {
    assert.equal(splitWords('\\400'), undefined);
    assert.equal(splitWords('\\777'), undefined);
  });

  it('with an escaped byte beyond ASCII never means the character of that number: to systemd it is a byte of UTF-8', () => {
    for (const line of ['\\xe9', '\\351', '\\xff', '\\377']) assert.equal(splitWords(line), undefined, line);
    assert.notDeepEqual(splitWords('\\xc3\\xa9'), ['Ã©']);
  });

  it('comes back from words that were quoted', () => {
    const word = fc.string({
      unit: fc.oneof(
        fc.constantFrom(' ', '\t', '"', "'", '\\', 'a', '$'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom('"', "'"), (words, quote) => {
        const line = words.map((each) => quote + each.replace(/["'\\]/g, '\\$&') + quote).join(' ');
        assert.deepEqual(splitWords(line), words);
      }),
    );
  });

  it('gives words or nothing, whatever comes in', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\\', '"', "'", ' ', 'x', 'u', 'U', '0', '4', 'd', 'a', '\ud800') }),
        (line) => {
          const words = splitWords(line);
          assert.ok(words === undefined || words.every((each) => typeof each === 'string'));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
