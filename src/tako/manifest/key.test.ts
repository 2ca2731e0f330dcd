import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatPublicKey,
  formatSecretKey,
  generateSecretKey,
  parsePublicKey,
  parseSecretKey,
  SECRET_KEY_CHARACTERS,
} from './key.ts';
import { key, PUBLIC_TEXT, SECRET_TEXT, SEED } from './manifest.fixture.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
const secretOf = (...parts: readonly Uint8Array[]): string => `SECRET+${Buffer.concat(parts).toString('base64')}`;
const seed = Buffer.from(SEED, 'hex');
const pub = Buffer.from(key.raw);
const other = Buffer.from(generateSecretKey().publicKey.raw);
const flipped = (of: Buffer, at: number): Buffer => {
  const copy = Buffer.from(of);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('a secret key', () => {
  it('of the test vector is read, and gives its public key', () => {
    const parsed = parseSecretKey(SECRET_TEXT);
    assert.equal(Buffer.from(parsed.seed).toString('hex'), SEED);
    assert.equal(formatPublicKey(parsed.publicKey), PUBLIC_TEXT);
  });

  it('of the test vector is written byte for byte', () => {
    assert.equal(formatSecretKey(parseSecretKey(SECRET_TEXT)), SECRET_TEXT);
    assert.equal(SECRET_TEXT.length, SECRET_KEY_CHARACTERS);
    assert.equal(secretOf(seed, pub, pub), SECRET_TEXT);
  });

  it('that was generated comes back as it was written', () => {
    for (let i = 0; i < 20; i++) {
      const text = formatSecretKey(generateSecretKey());
      assert.match(text, /^SECRET\+[A-Za-z0-9+/]{128}$/);
      assert.equal(formatSecretKey(parseSecretKey(text)), text);
      assert.match(formatPublicKey(parseSecretKey(text).publicKey), /^[A-Za-z0-9+/]{43}=$/);
    }
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['one letter', 'S'],
    ['less than the prefix', 'SECRET'],
    ['the key without its prefix', SECRET_TEXT.slice(7)],
    ['a lower-case prefix', SECRET_TEXT.replace('SECRET', 'secret')],
    ['a blank before the prefix', ` ${SECRET_TEXT}`],
    ['a newline before the prefix', `\n${SECRET_TEXT}`],
    ['a byte order mark before the prefix', `\ufeff${SECRET_TEXT}`],
    ['the form of July 2018', `SECRET:${seed.toString('base64').slice(0, 43)}`],
    ['the form before that', `PRIVATE:${seed.toString('base64').slice(0, 43)}`],
    ['the new form with the old separator', SECRET_TEXT.replace('+', ':')],
    ['a public key', PUBLIC_TEXT],
  ] as const) {
    it(`that is ${what} has the wrong prefix`, () => {
      assert.throws(() => parseSecretKey(text), { name: 'TakoError', code: 'INVALID_SECRET_KEY_PREFIX' });
    });
  }

  for (const [what, text] of [
    ['only the prefix', 'SECRET+'],
    ['the seed alone', secretOf(seed)],
    ['seed and one copy of the public key', secretOf(seed, pub)],
    ['one byte too short', secretOf(seed, pub, pub.subarray(0, 31))],
    ['one byte too long', secretOf(seed, pub, pub, Buffer.of(0))],
    ['one copy too long', secretOf(seed, pub, pub, pub)],
    ['one character too short', SECRET_TEXT.slice(0, -1)],
    ['followed by a newline', `${SECRET_TEXT}\n`],
    ['followed by a carriage return', `${SECRET_TEXT}\r`],
    ['followed by a blank', `${SECRET_TEXT} `],
    ['followed by padding', `${SECRET_TEXT}====`],
    ['broken over two lines', `${SECRET_TEXT.slice(0, 70)}\n${SECRET_TEXT.slice(70)}`],
    [
      'in the url-safe alphabet',
      SECRET_TEXT.slice(0, 7) + SECRET_TEXT.slice(7).replaceAll('+', '-').replaceAll('/', '_'),
    ],
    ['in hex', `SECRET+${Buffer.concat([seed, pub, pub]).toString('hex')}`],
    ['of another seed', secretOf(flipped(seed, 0), pub, pub)],
    ['with a wrong middle copy', secretOf(seed, other, pub)],
    ['with a wrong trailing copy', secretOf(seed, pub, other)],
    ['with two wrong copies that agree', secretOf(seed, other, other)],
    ['with one bit changed in the middle copy', secretOf(seed, flipped(pub, 31), pub)],
    ['with one bit changed in the trailing copy', secretOf(seed, pub, flipped(pub, 0))],
    ['with copies of zeros', secretOf(seed, Buffer.alloc(32), Buffer.alloc(32))],
    ['with seed and copies in the wrong order', secretOf(pub, pub, seed)],
  ] as const) {
    it(`that is ${what} has wrong data`, () => {
      assert.throws(() => parseSecretKey(text), { name: 'TakoError', code: 'INVALID_SECRET_KEY_DATA' });
    });
  }

  it('never appears in an error, in no part', () => {
    for (const text of [SECRET_TEXT.slice(7), `${SECRET_TEXT}\n`, secretOf(seed, other, pub), secretOf(seed)]) {
      assert.throws(
        () => parseSecretKey(text),
        (error) => {
          assert.ok(error instanceof Error);
          const said = JSON.stringify([error.message, { ...error }, String(error.cause)]);
          for (let at = 7; at + 8 <= text.length; at += 8) assert.ok(!said.includes(text.slice(at, at + 8)));
          return true;
        },
      );
    }
  });
});

describe('a public key', () => {
  it('of the test vector is read and written', () => {
    assert.deepEqual(Buffer.from(parsePublicKey(PUBLIC_TEXT).raw), bytes(PUBLIC_TEXT));
    assert.equal(formatPublicKey(parsePublicKey(PUBLIC_TEXT)), PUBLIC_TEXT);
  });

  it('with unused low bits set is read, and never written so', () => {
    for (const last of 'pqr') {
      const text = `${PUBLIC_TEXT.slice(0, 42)}${last}=`;
      assert.equal(formatPublicKey(parsePublicKey(text)), PUBLIC_TEXT);
    }
  });

  for (const [what, text] of [
    ['padding missing', PUBLIC_TEXT.slice(0, -1)],
    ['padding twice', `${PUBLIC_TEXT}=`],
    ['a blank after it', `${PUBLIC_TEXT} `],
    ['a blank before it', ` ${PUBLIC_TEXT}`],
    ['a newline after it', `${PUBLIC_TEXT}\n`],
    ['a character of the url-safe alphabet', PUBLIC_TEXT.replace('/', '_')],
    ['a character of no alphabet', PUBLIC_TEXT.replace('/', '!')],
    ['quotes', `"${PUBLIC_TEXT}"`],
  ] as const) {
    it(`with ${what} is no base64`, () => {
      assert.throws(() => parsePublicKey(text), { name: 'TakoError', code: 'INVALID_PUBLIC_KEY_DATA' });
    });
  }

  for (const length of [0, 1, 31, 33, 64, 96]) {
    it(`of ${length} bytes has the wrong length`, () => {
      const text = Buffer.alloc(length, 7).toString('base64');
      assert.throws(() => parsePublicKey(text), { name: 'TakoError', code: 'INVALID_CONFIG' });
    });
  }

  it('that anybody can sign for is refused', () => {
    for (const weak of ['00'.repeat(32), `01${'00'.repeat(31)}`, `${'00'.repeat(31)}80`, `ec${'ff'.repeat(31)}`]) {
      const text = Buffer.from(weak, 'hex').toString('base64');
      assert.throws(() => parsePublicKey(text), { name: 'CodedError', code: 'WEAK_PUBLIC_KEY' });
    }
  });
});
