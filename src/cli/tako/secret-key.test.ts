import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { formatSecretKey, generateSecretKey } from '../../tako/index.ts';
import { type KeyValues, readSecretKey, readSmallFile } from './secret-key.ts';

const [A, B, C] = [1, 2, 3].map(() => formatSecretKey(generateSecretKey())) as [string, string, string];
const file = (t: TestContext, content: string | Uint8Array): string => {
  const path = join(scratch(t), 'key');
  writeFileSync(path, content);
  return path;
};
const read = (values: KeyValues, env: NodeJS.ProcessEnv = {}): string => formatSecretKey(readSecretKey(values, env));

describe('the secret key', () => {
  it('is the option, else the file, else the environment', (t) => {
    const env = { TAKO_SECRET_KEY: C };
    assert.equal(read({ key: A, keyFile: file(t, B) }, env), A);
    assert.equal(read({ keyFile: file(t, B) }, env), B);
    assert.equal(read({}, env), C);
  });

  it('comes from no file when the option is given: it is not even opened', () => {
    assert.equal(read({ key: A, keyFile: '/nonexistent/key' }), A);
  });

  it('does not come from the environment when the file cannot be read', () => {
    assert.throws(() => read({ keyFile: '/nonexistent/key' }, { TAKO_SECRET_KEY: C }), {
      code: 'KEY_UNREADABLE',
      subject: '/nonexistent/key',
    });
    assert.throws(() => read({ keyFile: '/tmp' }), { code: 'KEY_UNREADABLE' });
  });

  it('must come from somewhere', () => assert.throws(() => read({}), { code: 'USAGE' }));

  it('may have blanks around it in the option and in the environment', () => {
    assert.equal(read({ key: ` ${A}\n` }), A);
    assert.equal(read({}, { TAKO_SECRET_KEY: `${A}\n` }), A);
  });

  for (const [what, more] of [
    ['a newline', '\n'],
    ['CR and LF', '\r\n'],
    ['a comment', ' # mine\n'],
    ['other text', 'more'],
    ['what is no text', '\0\xff'],
  ] as const) {
    it(`in a file may be followed by ${what}`, (t) => {
      assert.equal(read({ keyFile: file(t, Buffer.from(A + more, 'latin1')) }), A);
    });
  }

  it('in a file stands at its very beginning', (t) => {
    for (const before of [' ', '\n', '\ufeff', 'Key pair:\n']) {
      assert.throws(() => read({ keyFile: file(t, before + A) }), { code: 'INVALID_SECRET_KEY_PREFIX' });
    }
  });

  it('is whole and undamaged, wherever it comes from', (t) => {
    const cases = [
      ['', 'INVALID_SECRET_KEY_PREFIX'],
      ['SECRET', 'INVALID_SECRET_KEY_PREFIX'],
      [A.slice(0, -1), 'INVALID_SECRET_KEY_DATA'],
      [A.toLowerCase(), 'INVALID_SECRET_KEY_PREFIX'],
      [A.slice(0, 60) + B.slice(60), 'INVALID_SECRET_KEY_DATA'],
    ] as const;
    for (const [text, code] of cases) {
      for (const work of [
        () => read({ key: text }),
        () => read({ keyFile: file(t, text) }),
        () => read({}, { TAKO_SECRET_KEY: text }),
      ]) {
        assert.throws(work, (error: Error & { code?: string }) => {
          assert.equal(error.code, code, JSON.stringify(text));
          return text.length < 40 || !error.message.includes(text.slice(7, 40));
        });
      }
    }
  });
});

describe('a small file that is handed in by name', () => {
  it('is read whole', (t) => assert.equal(Buffer.from(readSmallFile(file(t, 'abc'), 3)).toString(), 'abc'));

  it('has a largest size', (t) => {
    const path = file(t, 'abcd');
    assert.throws(() => readSmallFile(path, 3), { code: 'TOO_LARGE', subject: path });
  });

  it('has a largest size also where the system does not tell it before', () => {
    assert.throws(() => readSmallFile('/proc/self/smaps', 100), { code: 'TOO_LARGE' });
  });

  it('that cannot be read has an error that names it', () => {
    assert.throws(() => readSmallFile('/nonexistent/x', 3), { code: 'FILE_UNREADABLE', subject: '/nonexistent/x' });
    assert.throws(() => readSmallFile('/tmp', 1e9), { code: 'FILE_UNREADABLE' });
  });
});
