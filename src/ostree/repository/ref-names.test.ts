import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertRefName,
  assertRemoteName,
  formatRefspec,
  isCollectionId,
  isRefName,
  parseRefspec,
} from './ref-names.ts';

const CHECKSUM = 'a'.repeat(64);
const REFUSED = { code: 'REF_NAME' };

describe('the name of a ref', () => {
  for (const name of [
    'a',
    'a/b',
    'os/amd64/stable',
    '_x',
    '9',
    'zażółć/ü',
    '漢字',
    'a.b-c_d',
    `${CHECKSUM}0`,
    'A'.repeat(64),
  ]) {
    it(`may be ${name}`, () => assert.equal(assertRefName(name), name));
  }
  for (const name of [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.a',
    'a/.b',
    '..',
    'a/..',
    '-a',
    'a b',
    'a:b',
    'a\n',
    'a\0b',
    'a^',
    'é\u0301',
    '\ud800',
    CHECKSUM,
  ]) {
    it(`may not be ${JSON.stringify(name)}`, () => {
      assert.equal(isRefName(name), false);
      assert.throws(() => assertRefName(name), REFUSED);
    });
  }
  it('with a checksum as one of its parts is none', () => assert.equal(isRefName(`a/${CHECKSUM}`), true));
});

describe('a refspec', () => {
  for (const [text, remote, ref] of [
    ['a/b', undefined, 'a/b'],
    ['origin:a/b', 'origin', 'a/b'],
    ['my-remote.1:x', 'my-remote.1', 'x'],
  ] as const) {
    it(`${text} comes back as it went in`, () => {
      assert.deepEqual(parseRefspec(text), { remote, ref });
      assert.equal(formatRefspec({ remote, ref }), text);
    });
  }
  for (const text of ['', ':', 'a:', ':a', 'a/b:c', 'a:b:c', `origin:${CHECKSUM}`]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseRefspec(text), REFUSED));
  }
  it('names a remote in one part', () => {
    assert.equal(assertRemoteName('origin'), 'origin');
    for (const name of ['', 'a/b', '.a', 'a b']) assert.throws(() => assertRemoteName(name), REFUSED);
  });
});

describe('a collection id', () => {
  for (const id of ['a.b', 'org.example.Os', '_a._b', 'a1.b2', `a.${'b'.repeat(253)}`]) {
    it(`may be ${id.slice(0, 30)}`, () => assert.equal(isCollectionId(id), true));
  }
  for (const id of ['', 'a', 'a.', '.a', 'a..b', '1a.b', 'a.1b', 'a-b.c', 'ä.b', 'a.b\n', `a.${'b'.repeat(254)}`]) {
    it(`may not be ${JSON.stringify(id.slice(0, 30))}`, () => assert.equal(isCollectionId(id), false));
  }
});
