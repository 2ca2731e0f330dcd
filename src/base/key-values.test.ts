import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KeyValueGrammar, parseKeyValues } from './key-values.ts';

class Refused extends Error {}

const GRAMMAR: KeyValueGrammar = {
  keys: ['Name', 'Many'],
  repeatable: new Set(['Many']),
  example: 'Name=x',
  judge(key, value, where) {
    if (value === 'bad') throw new Refused(`${where} ${key}`);
  },
  invalid: (where, what, hint) => new Refused(`${where} ${what} ${hint}`),
};
const parse = (text: string) => parseKeyValues(text, 'file', GRAMMAR);

describe('lines of keys and values', () => {
  it('are split at the first equals sign; comments and empty lines do not count', () => {
    const { settings, warnings } = parse('\ufeff# Name=no\r\n\n;x\nMany=a=b\r\nMany=\nName= c\n');
    assert.deepEqual(settings, [
      { key: 'Many', value: 'a=b', line: 4 },
      { key: 'Many', value: '', line: 5 },
      { key: 'Name', value: ' c', line: 6 },
    ]);
    assert.deepEqual(warnings, []);
  });
  it('with blanks that mean nothing are accepted with a warning', () => {
    const { settings, warnings } = parse('Name=x \t\n  \n');
    assert.deepEqual([settings[0]?.value, warnings.length], ['x', 2]);
  });
  for (const text of ['Name', 'name=x', ' Name=x', 'Other=x', 'Name=a\nName=b', '=x', '# a\nMany=ok\nName=bad']) {
    it(`${JSON.stringify(text)} is refused with its line`, () => {
      const line = text.split('\n').length;
      assert.throws(
        () => parse(text),
        (error) => error instanceof Refused && error.message.startsWith(`file: line ${line} `),
      );
    });
  }
  it('are judged in the order of the file, the first error counts', () => {
    assert.throws(() => parse('Many=bad\nOther=x'), /line 1/);
  });
});
