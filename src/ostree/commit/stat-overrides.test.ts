import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSkipList, parseStatOverrides } from './stat-overrides.ts';

describe('a list of permissions', () => {
  it('adds bits, or sets them, with modes in decimal or hexadecimal', () => {
    const text = '=384 /a b\n2048 /s\n+16 /t\n\n=0x1ff /x\n=33152 /with-type\n';
    assert.deepEqual(
      [...parseStatOverrides(text, 'list')],
      [
        ['/a b', { kind: 'set', bits: 0o600 }],
        ['/s', { kind: 'add', bits: 0o4000 }],
        ['/t', { kind: 'add', bits: 0o20 }],
        ['/x', { kind: 'set', bits: 0o777 }],
        ['/with-type', { kind: 'set', bits: 0o600 }],
      ],
    );
  });
  it('refuses what was meant to be octal, and says what to write', () => {
    assert.throws(() => parseStatOverrides('=0644 /a', 'list'), {
      code: 'CONFIG_MALFORMED',
      hint: 'the mode is decimal: write 420',
    });
  });
  for (const line of ['384', '=384', 'abc /a', '-1 /a', '65536 /a', '384 a', '384 /a/', '384 //a', '=384 ', '1.5 /a']) {
    it(`refuses ${JSON.stringify(line)}`, () => {
      assert.throws(() => parseStatOverrides(line, 'list'), { code: 'CONFIG_MALFORMED' });
    });
  }
});

describe('a list of what is left out', () => {
  it('has a path on each line', () => {
    assert.deepEqual([...parseSkipList('/a\n\n/b c\n', 'list')], ['/a', '/b c']);
    assert.throws(() => parseSkipList('a', 'list'), { code: 'CONFIG_MALFORMED' });
  });
});
