import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../error.ts';
import { ExactNumber, formatExactJson, parseExactJson } from './exact-json.ts';

const parse = (text: string) => parseExactJson(Buffer.from(text), 'config.json');

describe('JSON of a runtime configuration', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        assert.deepEqual(plain(parse(text)), JSON.parse(text));
      }),
    );
  });

  it('comes back from what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const once = formatExactJson(parse(JSON.stringify(value)));
        assert.equal(formatExactJson(parse(once)), once);
      }),
    );
  });

  it('keeps numbers that JavaScript cannot hold, or would write in another way', () => {
    for (const text of ['18446744073709551615', '-9223372036854775808', '1.0', '1e3', '-0', '0.1e-7']) {
      assert.equal(formatExactJson(parse(`[${text}]`)), `[\n    ${text}\n]`);
    }
  });

  it('keeps the order of keys, and a key that JavaScript has a meaning for', () => {
    assert.equal(
      formatExactJson(parse('{"b":1,"__proto__":{"x":2},"a":3}')).replace(/\s/g, ''),
      '{"b":1,"__proto__":{"x":2},"a":3}',
    );
  });

  it('with a key that comes twice is refused: the runtimes do not agree on what it means', () => {
    assert.throws(() => parse('{"hooks":{"prestart":[{}]},\n"hooks":{}}'), { code: 'BAD_CONTAINER_CONFIG', line: 2 });
    assert.throws(() => parse('{"a":1,"\\u0061":2}'), { code: 'BAD_CONTAINER_CONFIG' });
  });

  for (const [flaw, text, line] of [
    ['a quote inside a value', '{\n"env": ["A=b"c"]\n}', 2],
    ['a string that does not end', '{\n"a": "b,\n"c": 1}', 2],
    ['a comma too many', '{\n"a": [1,\n]}', 3],
    ['a comma after the last field', '{"a": 1,\n}', 2],
    ['a comma too few', '[1\n2]', 2],
    ['a key without a value', '{"a"}', 1],
    ['a key without quotes', '{a: 1}', 1],
    ['two documents', '{}\n{}', 2],
    ['nothing in it', '', 1],
    ['an end too early', '{"a": [', 1],
    ['a word', '[True]', 1],
    ['a number of another language', '[0x10]', 1],
    ['a leading zero', '[01]', 1],
    ['a comment', '// x\n{}', 1],
    ['a control character in a string', '["\u0001"]', 1],
    ['an unknown escape', '["\\x41"]', 1],
  ] as const) {
    it(`with ${flaw} is refused, with the line`, () => {
      assert.throws(() => parse(text), { name: 'ConfigError', code: 'BAD_CONTAINER_CONFIG', line });
    });
  }

  it('that is no UTF-8, or has no end of brackets, or of bytes, is refused', () => {
    assert.throws(() => parseExactJson(Buffer.from([0x22, 0xff, 0x22]), 'f'), { code: 'BAD_CONTAINER_CONFIG' });
    assert.throws(() => parse('['.repeat(100_000)), { code: 'BAD_CONTAINER_CONFIG' });
    assert.throws(() => parse(' '.repeat(2 ** 20 + 1)), { code: 'BAD_CONTAINER_CONFIG' });
  });

  it('may hold one long string', () => {
    const text = 'x\\n'.repeat(300_000);
    assert.equal(parse(`"${text}"`), 'x\n'.repeat(300_000));
  });

  it('gives a value or an error of ours, whatever comes in', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '1',
      '-',
      'true',
      'null',
      '\n',
      ' ',
      '"\\u12',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          assert.deepEqual(plain(parse(pieces.join(''))), JSON.parse(pieces.join('')));
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Numbers as JavaScript has them. */
function plain(value: unknown): unknown {
  if (value instanceof ExactNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
