import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, decodeByteCount, decodeDecimal, decodeHex, decodeUtf8, encodeBase64, isHex } from './decode.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'hex');

describe('base64', () => {
  for (const [text, bytes] of [
    ['', ''],
    ['AA==', '00'],
    ['AAA=', '0000'],
    ['AAAA', '000000'],
    ['+/+/', 'fbffbf'],
    ['aGVsbG8=', '68656c6c6f'],
  ] as const) {
    it(`${JSON.stringify(text)} is read`, () => assert.equal(hex(decodeBase64(text)), bytes));
  }

  it('with unused low bits set in its last symbol is read, as other implementations may write it', () => {
    for (const last of 'ABCDEFGHIJKLMNOP') assert.equal(hex(decodeBase64(`A${last}==`)), '00', last);
    for (const last of 'ABCD') assert.equal(hex(decodeBase64(`AA${last}=`)), '0000', last);
  });

  for (const text of [
    'A',
    'AA',
    'AAA',
    'AAAAA',
    'AAA==',
    'AA=',
    'A===',
    '====',
    '=',
    '==',
    '=AAA',
    'A=AA',
    'AA=A',
    'AA==AAAA',
    'AAA=AAAA',
    'AAAA=',
    'AAAA====',
    ' AAAA',
    'AAAA ',
    'AA AA',
    'AAAA\n',
    'AAAA\r\n',
    '\nAAAA',
    'AA\nAA',
    'AA\tAA',
    'AA\0A',
    '-_-_',
    'AAA-',
    'AAA_',
    'AAA!',
    'AAA.',
    '\ufeffAAAA',
    'ＡＡＡＡ',
    'AAAé',
    'AA=\u200b=',
  ]) {
    it(`${JSON.stringify(text)} is refused, though Node would repair it`, () => {
      assert.equal(decodeBase64(text), undefined);
    });
  }

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => assert.equal(hex(decodeBase64(encodeBase64(bytes))), hex(bytes))),
    );
  });

  it('is written for the part of a buffer that was given, and no more', () => {
    assert.equal(encodeBase64(Buffer.from('xxhelloxx').subarray(2, 7)), 'aGVsbG8=');
    assert.equal(encodeBase64(new Uint8Array([1, 0, 0, 2]).subarray(1, 3)), 'AAA=');
    assert.equal(encodeBase64(new Uint8Array()), '');
  });

  it('is never written with unused bits set: reading and writing any accepted text gives its canonical form', () => {
    const symbols = fc.constantFrom(...'ABCDwxyz0189+/=-_ \n');
    fc.assert(
      fc.property(fc.string({ unit: symbols, maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text);
        if (bytes === undefined) return;
        assert.equal(encodeBase64(bytes), Buffer.from(text, 'base64').toString('base64'));
        assert.equal(encodeBase64(bytes).length, text.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('of many bytes is read without running out of stack', () => {
    const bytes = Buffer.alloc(12 * 2 ** 20, 0xa5);
    assert.ok(Buffer.from(decodeBase64(bytes.toString('base64')) ?? []).equals(bytes));
    assert.equal(decodeBase64(`${bytes.toString('base64')}!`), undefined);
  });
});

describe('hex', () => {
  it('is read when it is lower-case and as long as expected', () => {
    assert.equal(hex(decodeHex('00ff', 2)), '00ff');
    assert.equal(hex(decodeHex('', 0)), '');
    assert.equal(isHex('0123456789abcdef', 8), true);
    assert.equal(isHex('', 0), true);
  });

  for (const [flaw, text] of [
    ['nothing', ''],
    ['one byte too few', '00'],
    ['one byte too many', '000000'],
    ['one digit too few', '000'],
    ['one digit too many', '00000'],
    ['an upper-case digit', '00fF'],
    ['a letter beyond f', '00fg'],
    ['a leading blank', ' 0ff'],
    ['a trailing newline', '0ff\n'],
    ['a prefix', '0x00'],
    ['a full-width digit', '00f０'],
  ] as const) {
    it(`with ${flaw} is refused`, () => {
      assert.equal(decodeHex(text, 2), undefined);
      assert.equal(isHex(text, 2), false);
    });
  }

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('hex');
        assert.equal(hex(decodeHex(text, bytes.length)), text);
        assert.equal(decodeHex(text, bytes.length + 1), undefined);
      }),
    );
  });
});

describe('a decimal', () => {
  for (const [text, value] of [
    ['0', 0],
    ['1', 1],
    ['10', 10],
    ['9007199254740991', 2 ** 53 - 1],
  ] as const) {
    it(`${text} is read`, () => assert.equal(decodeDecimal(text), value));
  }

  for (const text of [
    '',
    ' ',
    '-0',
    '-1',
    '+1',
    '00',
    '01',
    '1.0',
    '1.',
    '.1',
    '1e3',
    '0x10',
    '0b1',
    '0o7',
    '1_000',
    '1n',
    ' 1',
    '1 ',
    '1\n',
    '1\0',
    '9007199254740992',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    'Infinity',
    '٣',
    '１',
    '²',
  ]) {
    it(`${JSON.stringify(text)} is refused`, () => assert.equal(decodeDecimal(text), undefined));
  }

  it('comes back as it went in', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (value) => assert.equal(decodeDecimal(String(value)), value)));
  });
});

describe('UTF-8', () => {
  for (const text of [
    '',
    'plain',
    'é',
    '\u{1f600}',
    '\0',
    '\ufeffwith a mark',
    'two\ufeff',
    '\uffff',
    '\u{10ffff}',
    '\ufffd',
  ]) {
    it(`${JSON.stringify(text)} comes back as it went in`, () => {
      assert.equal(decodeUtf8(Buffer.from(text, 'utf8')), text);
    });
  }

  for (const [flaw, bytes] of [
    ['a lone continuation byte', '80'],
    ['a byte that never occurs', 'ff'],
    ['an overlong NUL', 'c080'],
    ['an overlong slash', 'e080af'],
    ['a surrogate', 'eda080'],
    ['a pair of surrogates (CESU-8)', 'eda0bdedb880'],
    ['a character beyond the last one', 'f4908080'],
    ['a character that is cut off', 'e282'],
    ['a character that is cut off in the middle of a text', '61e28261'],
    ['Latin 1', '636166e9'],
    ['UTF-16', 'fffe6100'],
  ] as const) {
    it(`with ${flaw} is refused`, () => assert.equal(decodeUtf8(bytesOf(bytes)), undefined));
  }

  it('is either refused or the exact bytes of the text', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decodeUtf8(bytes);
        if (text !== undefined) assert.equal(Buffer.from(text, 'utf8').toString('hex'), hex(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('is read from the part of a buffer that was given', () => {
    assert.equal(decodeUtf8(bytesOf('ff6162ff').subarray(1, 3)), 'ab');
  });
});

describe('a number of bytes', () => {
  for (const [text, value] of [
    ['0', 0],
    ['0K', 0],
    ['1', 1],
    ['1048576', 2 ** 20],
    ['1K', 2 ** 10],
    ['1024K', 2 ** 20],
    ['1M', 2 ** 20],
    ['3G', 3 * 2 ** 30],
    ['2T', 2 ** 41],
    ['8191T', 8191 * 2 ** 40],
    ['9007199254740991', 2 ** 53 - 1],
  ] as const) {
    it(`${text} is read`, () => assert.equal(decodeByteCount(text), value));
  }

  for (const text of [
    '',
    'K',
    '1k',
    '1m',
    '1B',
    '1KB',
    '1KiB',
    '1KK',
    '1P',
    '1 K',
    ' 1K',
    '1K ',
    '1K\n',
    '-1',
    '+1',
    '1.5K',
    '1e3',
    '01',
    '01K',
    '8192T',
    '9007199254740992',
    '9007199254740991K',
    '1constructor',
    '１K',
  ]) {
    it(`${JSON.stringify(text)} is refused`, () => assert.equal(decodeByteCount(text), undefined));
  }
});
