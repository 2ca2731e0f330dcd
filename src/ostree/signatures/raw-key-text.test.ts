import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseRawKey, parseRawKeys } from './raw-key-text.ts';
import { keyText } from './signatures.fixture.ts';

const PUBLIC = keyText('ed25519-0.public');

describe('the text of an ed25519 key', () => {
  it('is the base64 of 32 bytes', () => {
    assert.equal(parseRawKey('ed25519', PUBLIC, 'it').text, PUBLIC);
  });
  for (const [flaw, text] of [
    ['nothing', ''],
    ['hex', Buffer.from(PUBLIC, 'base64').toString('hex')],
    ['31 bytes', Buffer.alloc(31, 7).toString('base64')],
    ['33 bytes', Buffer.alloc(33, 7).toString('base64')],
    ['no padding', PUBLIC.replace(/=$/, '')],
    ['letters of other alphabets', PUBLIC.replace(/.$/, '-')],
  ] as const) {
    it(`is not ${flaw}`, () => {
      assert.throws(() => parseRawKey('ed25519', text, 'here'), { code: 'CONFIG_MALFORMED', subject: 'here' });
    });
  }
  it('that is a secret key is refused, and not shown', () => {
    const secret = keyText('ed25519-0.secret');
    assert.throws(
      () => parseRawKey('ed25519', secret, 'here'),
      (error: Error) => /secret key does not belong here/.test(error.message) && !error.message.includes(secret),
    );
  });
  it('under which anybody can sign is refused by name', () => {
    const zero = Buffer.alloc(32).toString('base64');
    assert.throws(() => parseRawKey('ed25519', zero, 'here'), { code: 'WEAK_PUBLIC_KEY', subject: 'here' });
  });
  it('stands alone in its line; the error names the line', () => {
    assert.deepEqual(
      parseRawKeys('ed25519', Buffer.from(`\n${PUBLIC}\r\n\n${keyText('ed25519-1.public')}`), 'file').length,
      2,
    );
    assert.throws(() => parseRawKeys('ed25519', Buffer.from(`${PUBLIC}\n# x\n`), 'file'), { subject: 'file line 2' });
  });
});

describe('the text of an spki key', () => {
  const pairs = [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ];
  const pems = pairs.map(({ publicKey }) => String(publicKey.export({ type: 'spki', format: 'pem' })));

  it('is PEM, several blocks in a file, or base64, one a line: the same keys', () => {
    const lines = pairs.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }).toString('base64'));
    const fromPem = parseRawKeys('spki', Buffer.from(pems.join('\n')), 'file');
    const fromLines = parseRawKeys('spki', Buffer.from(lines.join('\n')), 'file');
    assert.deepEqual(
      fromPem.map(({ text, algorithm }) => [text, algorithm]),
      lines.map((text, i) => [text, ['ed25519', 'rsa', 'ec'][i]]),
    );
    assert.deepEqual(
      fromLines.map(({ text }) => text),
      lines,
    );
  });
  it('verifies what its secret half signed, and nothing else', () => {
    const data = Buffer.from('data');
    const keys = parseRawKeys('spki', Buffer.from(pems.join('')), 'file');
    for (const [i, { privateKey }] of pairs.entries()) {
      const signature = sign(null, data, privateKey);
      assert.deepEqual(
        keys.map((key) => key.verify(data, signature)),
        pairs.map((_, j) => i === j),
      );
    }
  });
  it('is refused with anything beside the blocks, and with a block that is none', () => {
    for (const text of [`${pems[0]}rest`, pems[0]?.replaceAll('PUBLIC', 'PRIVATE') ?? '', '-----BEGIN PUBLIC KEY-----'])
      assert.throws(() => parseRawKeys('spki', Buffer.from(text), 'file'), { code: 'CONFIG_MALFORMED' }, text);
  });
});
