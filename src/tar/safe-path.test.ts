import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { safePath } from './safe-path.ts';

describe('the safe path of an entry', () => {
  for (const [path, parts] of [
    ['a/b', ['a', 'b']],
    ['./a/./b/', ['a', 'b']],
    ['/etc//passwd', ['etc', 'passwd']],
    ['.', []],
    ['./', []],
    ['/', []],
    ['', []],
    ['...', ['...']],
    ['..a/b..', ['..a', 'b..']],
    ['a\\..\\b', ['a\\..\\b']],
  ] as const) {
    it(`of ${JSON.stringify(path)} is ${JSON.stringify(parts)}`, () => assert.deepEqual(safePath(path), parts));
  }

  for (const path of ['..', '../a', 'a/..', 'a/../b', '/..', './..', 'a//..//b', '../', 'a\0b']) {
    it(`of ${JSON.stringify(path)} does not exist`, () => assert.throws(() => safePath(path), { code: 'TAR_PATH' }));
  }

  it('holds names only, whatever comes in', () => {
    const path = fc
      .array(fc.constantFrom('/', '.', '..', 'a', '\0', '//'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(path, (text) => {
        try {
          for (const part of safePath(text)) assert.doesNotMatch(part, /^(\.{0,2})$|[/\0]/);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'TAR_PATH', String(error));
          assert.match(text, /(^|\/)\.\.(\/|$)|\0/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
