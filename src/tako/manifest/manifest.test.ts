import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { CodedError } from '../../base/error.ts';
import { compareVersions, parseVersion, versionKey } from '../../version/index.ts';
import { generateSecretKey } from './key.ts';
import {
  digest,
  EMPTY_SIGNATURE,
  entry,
  HELLO,
  key,
  secret,
  signBody,
  signLatin1,
  signLines,
  VECTOR,
  WORLD,
} from './manifest.fixture.ts';
import { findVersion, type ManifestEntry, openManifest, sameEntry, sealManifest } from './manifest.ts';

const plain = (entries: readonly ManifestEntry[]) =>
  entries.map(({ version, size, sha256 }) => [version.text, size, sha256] as const);
const open = (file: Uint8Array) => plain(openManifest(file, [key]).entries);
const refuses = (file: Uint8Array, code: string): void =>
  assert.throws(() => openManifest(file, [key]), { name: 'TakoError', code });

const SIGNATURE_LINE = VECTOR.subarray(-89).toString('latin1');
const SIGNED = VECTOR.subarray(0, -89).toString('latin1');
/** The test vector with another signature line. */
const withSignature = (line: string): Buffer => Buffer.from(SIGNED + line, 'latin1');
const STRANGER = generateSecretKey();

describe('the manifest of the test vector', () => {
  it('is read', () => {
    assert.equal(VECTOR.length, 327);
    assert.deepEqual(open(VECTOR), [
      ['1.0.0', 6n, HELLO],
      ['1.1-rc.1', 6n, HELLO],
      ['1.1', 7n, WORLD],
    ]);
  });

  it('is written byte for byte, from entries in any order', () => {
    const stored = [entry('1.1', WORLD, 7), entry('1.0.0', HELLO, 6), entry('1.1-rc.1', HELLO, 6)];
    assert.equal(Buffer.from(sealManifest(stored, secret)).toString('latin1'), VECTOR.toString('latin1'));
    assert.deepEqual(Buffer.from(sealManifest(stored.reverse(), secret)), VECTOR);
  });

  it('keeps its exact bytes and the key that had signed it', () => {
    const { bytes, key: signer } = openManifest(VECTOR, [STRANGER.publicKey, key]);
    assert.deepEqual(Buffer.from(bytes), VECTOR);
    assert.equal(signer, key);
  });

  it('is read from the part of a buffer that was given', () => {
    const around = Buffer.concat([Buffer.from('xx'), VECTOR, Buffer.from('yy')]);
    assert.equal(open(new Uint8Array(around.buffer, around.byteOffset + 2, VECTOR.length)).length, 3);
  });
});

describe('a manifest without entries', () => {
  it('is signed over 18 bytes', () => {
    const file = `Tako Manifest 1\n\n\n${EMPTY_SIGNATURE}\n`;
    assert.equal(Buffer.from(sealManifest([], secret)).toString('latin1'), file);
    assert.deepEqual(open(Buffer.from(file)), []);
  });
});

describe('a manifest with a wrong beginning', () => {
  for (const [what, text] of [
    ['an empty file', ''],
    ['a newline', '\n'],
    ['an HTML page', '<!DOCTYPE html>\n<html>\n\n<body>404</body>\n</html>\n'],
    ['an HTML page without a newline', '<html></html>'],
    ['a byte order mark', `\ufeff${VECTOR.toString('latin1')}`],
    ['a blank before the header', ` ${VECTOR.toString('latin1')}`],
    ['a lower-case header', VECTOR.toString('latin1').replace('Tako', 'tako')],
    ['part of the header', 'Tako'],
    ['the header alone', 'Tako Manifest 1'],
    ['the header line alone', 'Tako Manifest 1\n'],
    ['header and blank line alone', 'Tako Manifest 1\n\n'],
    ['header and two blank lines alone', 'Tako Manifest 1\n\n\n'],
    ['a format of the future', VECTOR.toString('latin1').replace('Manifest 1', 'Manifest 2')],
    ['a minor format', VECTOR.toString('latin1').replace('Manifest 1', 'Manifest 1.1')],
    ['two digits', VECTOR.toString('latin1').replace('Manifest 1', 'Manifest 10')],
    ['a carriage return after the header', VECTOR.toString('latin1').replace('1\n', '1\r\n')],
    ['CRLF throughout', VECTOR.toString('latin1').replaceAll('\n', '\r\n')],
    ['a blank after the header', VECTOR.toString('latin1').replace('1\n', '1 \n')],
    ['no blank line after the header', VECTOR.toString('latin1').replace('1\n\n', '1\n')],
    ['a blank in the line after the header', VECTOR.toString('latin1').replace('1\n\n', '1\n \n')],
  ] as const) {
    it(`(${what}) is invalid, and not a wrong signature`, () => refuses(Buffer.from(text), 'INVALID_MANIFEST'));
  }

  it('is invalid also when that is properly signed', () => {
    for (const header of ['Tako Manifest 2\n\n', 'Tako Manifest 1\r\n\n', 'Tako Manifest 1\n', 'tako manifest 1\n\n']) {
      refuses(signBody(`${header}1.0 6 ${HELLO}\n\n`), 'INVALID_MANIFEST');
    }
  });

  it('of many megabytes in one line is invalid', () => {
    refuses(Buffer.alloc(8 * 2 ** 20, 'x'), 'INVALID_MANIFEST');
    refuses(Buffer.from(`Tako Manifest 1${'1'.repeat(2 ** 20)}`), 'INVALID_MANIFEST');
  });
});

describe('a manifest that was cut off', () => {
  it('is refused wherever that was', () => {
    for (let length = 0; length < VECTOR.length; length++) {
      assert.throws(() => openManifest(VECTOR.subarray(0, length), [key]), CodedError, `after ${length} bytes`);
    }
  });

  it('before the signature is invalid', () => {
    for (const at of [17, 50, SIGNED.length - 2, SIGNED.length - 1, SIGNED.length]) {
      refuses(VECTOR.subarray(0, at), 'INVALID_MANIFEST');
    }
  });

  it('by its last newline is invalid', () => refuses(VECTOR.subarray(0, -1), 'INVALID_MANIFEST'));
});

describe('a manifest with something after its end', () => {
  for (const tail of ['\n', '\n\n', 'x', ' ', '\0', 'x\n', 'more\ndata\n', SIGNATURE_LINE, VECTOR.toString('latin1')]) {
    it(`(${JSON.stringify(tail.slice(0, 20))}) is invalid`, () => {
      refuses(withSignature(SIGNATURE_LINE + tail), 'INVALID_MANIFEST');
    });
  }
});

describe('a signature line', () => {
  const text = SIGNATURE_LINE.slice(0, -1);
  const of = (length: number): string => Buffer.alloc(length, 7).toString('base64');

  for (const [what, line] of [
    ['a blank at its end', `${text} `],
    ['a blank at its beginning', ` ${text}`],
    ['a carriage return at its end', `${text}\r`],
    ['the url-safe alphabet', text.replaceAll('+', '-').replaceAll('/', '_')],
    ['no padding', text.slice(0, -2)],
    ['half of its padding', text.slice(0, -1)],
    ['too much padding', `${text}=`],
    ['a character of no alphabet', text.replace('Q', '!')],
    ['the header of a signature file', '-----BEGIN SIGNATURE-----'],
    ['an entry in its place', `1.2 6 ${HELLO}`],
    ['a character beyond ASCII', text.replace('Q', '\xe9')],
    ['a megabyte of base64', 'A'.repeat(2 ** 20)],
  ] as const) {
    it(`with ${what} is no signature data`, () => refuses(withSignature(`${line}\n`), 'INVALID_SIGNATURE_DATA'));
  }

  for (const [what, line] of [
    ['nothing', ''],
    ['one byte too few', of(63)],
    ['one byte too many', of(65)],
    ['a public key', of(32)],
    ['two signatures', of(128)],
  ] as const) {
    it(`with ${what} is invalid`, () => refuses(withSignature(`${line}\n`), 'INVALID_MANIFEST'));
  }

  it('with unused low bits set is accepted', () => {
    assert.ok(text.endsWith('w=='));
    for (const last of 'xyz0123456789+/') {
      if (last === 'w') continue;
      assert.equal(open(withSignature(`${text.slice(0, -3)}${last}==\n`)).length, 3, last);
    }
  });

  it('without the blank line before it is invalid', () => {
    refuses(Buffer.from(SIGNED.slice(0, -1) + SIGNATURE_LINE, 'latin1'), 'INVALID_MANIFEST');
    refuses(signBody(`Tako Manifest 1\n\n1.0 6 ${HELLO}\n`), 'INVALID_MANIFEST');
  });

  it('after two blank lines is not where a signature belongs', () => {
    assert.throws(() => openManifest(signBody(`Tako Manifest 1\n\n1.0 6 ${HELLO}\n\n\n`), [key]), CodedError);
    assert.throws(() => openManifest(signBody('Tako Manifest 1\n\n\n\n'), [key]), CodedError);
  });
});

describe('a signature that does not hold', () => {
  it('by another key is refused', () => {
    assert.throws(() => openManifest(VECTOR, [STRANGER.publicKey]), { code: 'INVALID_SIGNATURE' });
    refuses(signLines([`1.0 6 ${HELLO}`], STRANGER), 'INVALID_SIGNATURE');
  });

  it('over one changed byte is refused', () => {
    for (let at = 'Tako Manifest 1\n\n'.length; at < SIGNED.length - 2; at++) {
      if (VECTOR[at] === 0x0a || VECTOR[at - 1] === 0x0a) continue; // a newline more or less is another matter
      const changed = Buffer.from(VECTOR);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      refuses(changed, 'INVALID_SIGNATURE');
    }
  });

  it('is refused when the last digit of a size was removed, added, or an entry was', () => {
    const lines = SIGNED.split('\n');
    for (const body of [
      SIGNED.replace(' 7 ', ' 77 '),
      SIGNED.replace('1.1-rc.1', '1.1-rc.2'),
      [...lines.slice(0, 2), ...lines.slice(3)].join('\n'),
      [...lines.slice(0, 3), lines[2], ...lines.slice(3)].join('\n'),
    ]) {
      refuses(Buffer.from(body + SIGNATURE_LINE, 'latin1'), 'INVALID_SIGNATURE');
    }
  });

  it('of another manifest by the same key is refused', () => {
    refuses(withSignature(`${EMPTY_SIGNATURE}\n`), 'INVALID_SIGNATURE');
  });

  for (const garbage of [
    'garbage',
    'more garbage than four fields of it',
    `1.0 ${'9'.repeat(40)} ${HELLO}`,
    `1.0 6 ${HELLO.toUpperCase()}`,
    `\xff 6 ${HELLO}`,
    'x'.repeat(100_000),
  ]) {
    it(`is found before anybody looks at the entry ${JSON.stringify(garbage.slice(0, 40))}`, () => {
      const body = Buffer.from(`Tako Manifest 1\n\n${garbage}\n\n`, 'latin1');
      refuses(Buffer.concat([body, Buffer.from(SIGNATURE_LINE)]), 'INVALID_SIGNATURE');
      refuses(signBody(body, STRANGER), 'INVALID_SIGNATURE');
    });
  }

  it('is that of every manifest when there is no key', () => {
    assert.throws(() => openManifest(VECTOR, []), { code: 'INVALID_SIGNATURE' });
  });
});

describe('a manifest under several keys', () => {
  it('is accepted when any of them had signed it, and that one is told', () => {
    const keys = [STRANGER.publicKey, generateSecretKey().publicKey, key];
    assert.equal(openManifest(VECTOR, keys).key, key);
    assert.equal(openManifest(VECTOR, keys.reverse()).key, key);
    const file = sealManifest([entry('1.0')], STRANGER);
    assert.equal(openManifest(file, [key, STRANGER.publicKey]).key, STRANGER.publicKey);
  });

  it('is refused when none of them had', () => {
    const file = sealManifest([], generateSecretKey());
    assert.throws(() => openManifest(file, [key, STRANGER.publicKey]), { code: 'INVALID_SIGNATURE' });
  });
});

describe('an entry, properly signed,', () => {
  for (const [what, line] of [
    ['without any space', '1.0'],
    ['separated by tabs', `1.0\t6\t${HELLO}`],
    ['with two fields', '1.0 6'],
    ['with two fields and a space', '1.0 6 '],
    ['without a size', `1.0 ${HELLO}`],
    ['without a digest, with a space in its version', '1.0 beta 6'],
    ['with an empty size', `1.0  ${HELLO}`],
    ['with two spaces before its size', `1.0  6 ${HELLO}`],
    ['with a negative size', `1.0 -6 ${HELLO}`],
    ['with a size of minus nothing', `1.0 -0 ${HELLO}`],
    ['with two signs', `1.0 ++6 ${HELLO}`],
    ['with a sign after its size', `1.0 6+ ${HELLO}`],
    ['with a sign alone', `1.0 + ${HELLO}`],
    ['with a hexadecimal size', `1.0 0x6 ${HELLO}`],
    ['with a fractional size', `1.0 6.0 ${HELLO}`],
    ['with a comma in its size', `1.0 1,000 ${HELLO}`],
    ['with an underscore in its size', `1.0 1_000 ${HELLO}`],
    ['with an exponent', `1.0 1e3 ${HELLO}`],
    ['with a size of 2^64', `1.0 18446744073709551616 ${HELLO}`],
    ['with a size of many digits', `1.0 ${'9'.repeat(100)} ${HELLO}`],
    ['with a size in Arabic digits', `1.0 ٣ ${HELLO}`],
    ['with a size in full-width digits', `1.0 ６ ${HELLO}`],
    ['with a suffix in its size', `1.0 6K ${HELLO}`],
    ['with NUL in its size', `1.0 6\0 ${HELLO}`],
    ['with a space in its version', `1.0 beta 6 ${HELLO}`],
    ['with a fourth field', `1.0 6 ${HELLO} x`],
    ['with a trailing space', `1.0 6 ${HELLO} `],
    ['with two spaces before its digest', `1.0 6  ${HELLO}`],
    ['with an empty digest', '1.0 6 '],
    ['with a digest one digit short', `1.0 6 ${HELLO.slice(1)}`],
    ['with a digest one digit long', `1.0 6 ${HELLO}0`],
    ['with a carriage return at its end', `1.0 6 ${HELLO}\r`],
    ['with a tab at its end', `1.0 6 ${HELLO}\t`],
    ['with an upper-case digest', `1.0 6 ${HELLO.toUpperCase()}`],
    ['with one upper-case digit', `1.0 6 ${HELLO.slice(1)}B`],
    ['with a digest that is not hex', `1.0 6 ${HELLO.slice(1)}g`],
    ['with a digest of 64 bytes that is shorter in characters', `1.0 6 ${'é'.repeat(32)}`],
    ['with a marked digest', `1.0 6 sha256:${HELLO.slice(7)}`],
    ['with a path for a digest', `1.0 6 ../../../etc/passwd${'0'.repeat(43)}`],
    ['that is a comment', '# comment'],
  ] as const) {
    it(`${what} is invalid`, () => {
      refuses(signLines([line]), 'INVALID_MANIFEST');
      refuses(signLines([`0.1 6 ${HELLO}`, line, `9.1 6 ${HELLO}`]), 'INVALID_MANIFEST');
    });
  }

  for (const [what, line] of [
    ['a lone byte', `1.0\xff 6 ${HELLO}`],
    ['a character cut off', `1.0\xc3 6 ${HELLO}`],
    ['an overlong form', `\xc0\xaf 6 ${HELLO}`],
    ['a surrogate', `\xed\xa0\x80 6 ${HELLO}`],
  ] as const) {
    it(`whose version holds ${what} is invalid`, () => refuses(signLatin1(line), 'INVALID_MANIFEST'));
  }

  for (const [size, value] of [
    ['0', 0n],
    ['00', 0n],
    ['+0', 0n],
    ['6', 6n],
    ['+6', 6n],
    ['007', 7n],
    ['+007', 7n],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['+00018446744073709551615', 2n ** 64n - 1n],
  ] as const) {
    it(`with the size ${size} is accepted, with no digit lost`, () => {
      assert.deepEqual(open(signLines([`1.0 ${size} ${HELLO}`])), [['1.0', value, HELLO]]);
    });
  }

  for (const version of [
    '',
    '\0',
    '1.0\x1b[31m',
    '1.0\t',
    '1.0\r',
    'é',
    '\u{1f600}',
    '\ufeff1',
    '*',
    '1.*',
    '#1',
    '\u2028',
    '\x7f',
  ]) {
    it(`with the version ${JSON.stringify(version)} is accepted`, () => {
      assert.deepEqual(open(signLines([`${version} 6 ${HELLO}`])), [[version, 6n, HELLO]]);
    });
  }

  it('of 4096 bytes is accepted, one of 4097 is not', () => {
    const version = 'x'.repeat(4096 - ` 6 ${HELLO}`.length);
    assert.equal(open(signLines([`${version} 6 ${HELLO}`]))[0]?.[0], version);
    refuses(signLines([`x${version} 6 ${HELLO}`]), 'INVALID_MANIFEST');
    refuses(signLines([`1.0 6 ${HELLO}`, `é${version.slice(1)} 6 ${HELLO}`]), 'INVALID_MANIFEST');
  });
});

describe('entries', () => {
  it('out of order are accepted and stay as they are in the file', () => {
    assert.deepEqual(
      open(signLines([`2.0 6 ${HELLO}`, `1.0 7 ${WORLD}`])).map(([version]) => version),
      ['2.0', '1.0'],
    );
  });

  it('that are the same twice are accepted, whatever their spelling', () => {
    assert.equal(open(signLines([`1.0 6 ${HELLO}`, `1.0 6 ${HELLO}`])).length, 2);
    assert.equal(open(signLines([`1.0 6 ${HELLO}`, `2.0 7 ${WORLD}`, `1 06 ${HELLO}`])).length, 3);
  });

  it('of one image under several versions are accepted', () => {
    assert.equal(open(signLines([`1.0 6 ${HELLO}`, `2.0 6 ${HELLO}`])).length, 2);
  });

  for (const [what, first, second] of [
    ['two digests', `1.0 6 ${HELLO}`, `1.0 6 ${WORLD}`],
    ['two sizes', `1.0 6 ${HELLO}`, `1.0 7 ${HELLO}`],
    ['two digests under two spellings', `1.0 6 ${HELLO}`, `1.0.0 6 ${WORLD}`],
    ['two sizes under two spellings', `1.0-rc 6 ${HELLO}`, `1_00_rc 7 ${HELLO}`],
    ['two digests for the empty version and 0', ` 6 ${HELLO}`, `0 6 ${WORLD}`],
  ] as const) {
    it(`that give one version ${what} are refused, in either order and apart`, () => {
      refuses(signLines([first, second]), 'INVALID_MANIFEST');
      refuses(signLines([second, first]), 'INVALID_MANIFEST');
      refuses(signLines([first, `9.9 6 ${HELLO}`, second]), 'INVALID_MANIFEST');
      refuses(signLines([first, first, second]), 'INVALID_MANIFEST');
    });
  }

  it('in their tens of thousands are read in a moment', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `1.${i} 6 ${HELLO}`);
    const before = performance.now();
    assert.equal(open(signLines(lines)).length, 20_000);
    assert.ok(performance.now() - before < 3000);
  });
});

describe('writing a manifest', () => {
  it('writes sizes without sign and leading zeros, and versions as they were typed', () => {
    const file = sealManifest([entry('01.0_0', HELLO, 2n ** 64n - 1n)], secret);
    assert.match(Buffer.from(file).toString(), /\n01\.0_0 18446744073709551615 5891/);
  });

  it('puts entries in the order of their versions and leaves equal ones in theirs', () => {
    const versions = ['1.10', '1.9', '1.0', '1', '1.0-rc.1', 'v1'];
    const file = sealManifest(
      versions.map((version) => entry(version)),
      secret,
    );
    assert.deepEqual(
      open(file).map(([version]) => version),
      ['v1', '1.0-rc.1', '1.0', '1', '1.9', '1.10'],
    );
  });

  it('leaves the list that it was given as it was', () => {
    const list = [entry('2.0'), entry('1.0')];
    sealManifest(list, secret);
    assert.deepEqual(
      list.map((item) => item.version.text),
      ['2.0', '1.0'],
    );
  });

  for (const [what, bad] of [
    ['a space in a version', entry('1.0 beta')],
    ['a newline in a version', entry('1.0\nbeta')],
    ['a version of one newline', entry('\n')],
    ['a newline at the end of a version', entry('1.0\n')],
    ['a size below nothing', entry('1.0', HELLO, -1)],
    ['a size of 2^64', entry('1.0', HELLO, 2n ** 64n)],
    ['an upper-case digest', entry('1.0', HELLO.toUpperCase())],
    ['a short digest', entry('1.0', HELLO.slice(1))],
    ['an empty digest', entry('1.0', '')],
    ['a version that is too long', entry('x'.repeat(4096))],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => sealManifest([bad], secret), { name: 'TakoError', code: 'INVALID_MANIFEST' });
      assert.throws(() => sealManifest([entry('0.1'), bad, entry('9.9')], secret), CodedError);
    });
  }

  it('refuses two images for one version', () => {
    assert.throws(() => sealManifest([entry('1.0', HELLO), entry('1.0.0', WORLD)], secret), {
      code: 'INVALID_MANIFEST',
    });
  });

  it('refuses a version that would read as an entry of its own: what is signed is what was given', () => {
    const smuggled = entry(`1.0 6 ${WORLD}\n2.0`);
    assert.throws(() => sealManifest([smuggled], secret), CodedError);
  });

  it('refuses a version that UTF-8 cannot hold, instead of writing another one', () => {
    assert.throws(() => sealManifest([entry('1.0-\ud800')], secret), CodedError);
  });

  const version = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom(...'019.-_ab*é'), maxLength: 8 }),
    )
    .filter((text) => !/[ \n]/.test(text));
  const anyEntry = fc.record({
    version: version.map((text) => parseVersion(text)),
    size: fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(0n, 2n ** 53n, 2n ** 64n - 1n)),
    sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  });

  it('and reading it gives the same entries, sorted', () => {
    const list = fc.uniqueArray(anyEntry, { selector: (item) => versionKey(item.version), maxLength: 12 });
    fc.assert(
      fc.property(list, (items) => {
        const sorted = [...items].sort((a, b) => compareVersions(a.version, b.version));
        const manifest = openManifest(sealManifest(items, secret), [key]);
        assert.deepEqual(plain(manifest.entries), plain(sorted));
        assert.deepEqual(sealManifest(manifest.entries, secret), Buffer.from(manifest.bytes), 'and the same bytes');
      }),
      { numRuns: 200 },
    );
  });
});

describe('finding and comparing entries', () => {
  it('does not see the spelling of a version', () => {
    assert.equal(sameEntry(entry('1.0'), entry('1_0_0')), true);
    assert.equal(sameEntry(entry('1.0'), entry('1.0.1')), false);
    assert.equal(sameEntry(entry('1.0', HELLO), entry('1.0', WORLD)), false);
    assert.equal(sameEntry(entry('1.0', HELLO, 1), entry('1.0', HELLO, 2)), false);
    const list = [entry('1.0', digest('a')), entry('2.0', digest('b'))];
    assert.equal(findVersion(list, '2')?.sha256, digest('b'));
    assert.equal(findVersion(list, '3'), undefined);
    assert.equal(findVersion([], '1'), undefined);
  });
});

describe('a damaged manifest', () => {
  const SEED = 20_181_027;
  const RUNS = 4000;

  it('only ever gives a manifest or a CodedError, and never other entries than were signed', (t) => {
    t.diagnostic(`seed ${SEED}, ${RUNS} mutations`);
    const random = seededRandom(SEED);
    const expected = open(VECTOR);
    let accepted = 0;
    for (let run = 0; run < RUNS; run++) {
      const file = mutate(VECTOR, random);
      const entries = attempt(file);
      if (entries === undefined) continue;
      accepted++;
      assert.deepEqual(entries, expected);
    }
    assert.ok(accepted < RUNS / 10, `${accepted} accepted`);
  });

  it('that its publisher signed only ever gives a manifest or a CodedError', (t) => {
    t.diagnostic(`seed ${SEED + 1}, ${RUNS} mutations`);
    const random = seededRandom(SEED + 1);
    const counts = { good: 0, bad: 0 };
    for (let run = 0; run < RUNS; run++) {
      const body = mutate(Buffer.from(SIGNED), random);
      if (attempt(signBody(body)) === undefined) counts.bad++;
      else counts.good++;
    }
    assert.ok(counts.good > 20 && counts.bad > 20, `the run reaches both ends: ${JSON.stringify(counts)}`);
  });

  function attempt(file: Uint8Array) {
    try {
      return open(file);
    } catch (error) {
      assert.ok(error instanceof CodedError, `${error}\n${Buffer.from(file).toString('latin1')}`);
      return undefined;
    }
  }
});
