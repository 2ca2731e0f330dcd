import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { codeOf } from '../../base/error.ts';
import { errnoOf, naming, SystemError } from './system-error.ts';

const failing = (errno: number) => () => {
  throw new SystemError(errno, 'write', '/proc/self/fd/9/x');
};

describe('a system error', () => {
  it('has the fields and the text of Node’s own', () => {
    let own: unknown;
    try {
      fs.openSync('/nowhere/x', 'r');
    } catch (error) {
      own = error;
    }
    const ours = new SystemError(errnoOf('ENOENT'), 'open', '/nowhere/x');
    assert.ok(own instanceof Error);
    assert.equal(ours.message, own.message);
    assert.deepEqual({ ...ours, name: undefined }, { ...own, name: undefined });
  });

  it('has a code also where Node knows none, and where nobody does', () => {
    assert.equal(new SystemError(errnoOf('EDQUOT'), 'write').code, 'EDQUOT');
    assert.equal(new SystemError(-4000, 'write').code, 'E4000');
  });

  it('gets the path that the user knows', () => {
    assert.throws(() => naming('/srv/x', () => fs.openSync('/proc/self/fd/9999/x', 'r')), {
      code: 'ENOENT',
      path: '/srv/x',
      message: "ENOENT: no such file or directory, open '/srv/x'",
    });
  });

  it('for a full disk or quota becomes DISK_FULL with the file and a hint', () => {
    for (const code of ['ENOSPC', 'EDQUOT'] as const) {
      assert.throws(
        () => naming('/srv/x', failing(errnoOf(code))),
        (error) => {
          assert.ok(error instanceof Error && 'hint' in error && 'subject' in error);
          assert.deepEqual([codeOf(error), error.subject, codeOf(error.cause)], ['DISK_FULL', '/srv/x', code]);
          assert.equal(typeof error.hint, 'string');
          return true;
        },
      );
    }
  });

  it('is told from other errors, which pass unchanged', () => {
    const other = new TypeError('other');
    assert.throws(
      () =>
        naming('/srv/x', () => {
          throw other;
        }),
      other,
    );
    assert.throws(() => naming('/srv/x', failing(errnoOf('EIO'))), { code: 'EIO', path: '/srv/x' });
  });
});
