import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from './ffi.ts';

const calls = systemCalls();

function opened(t: TestContext): { path: string; fd: number } {
  const path = scratch(t);
  const fd = fs.openSync(path, fs.constants.O_DIRECTORY);
  t.after(() => fs.closeSync(fd));
  return { path, fd };
}

if (calls !== undefined) {
  describe('calls on a name in an open directory', () => {
    it('link a file, and a symbolic link itself; names need not be ASCII', (t) => {
      const { path, fd } = opened(t);
      fs.writeFileSync(join(path, 'ä'), 'text');
      fs.symlinkSync('ä', join(path, 'l'));
      calls.linkat(fd, 'ä', fd, '日');
      calls.linkat(fd, 'l', fd, 'm');
      assert.equal(fs.statSync(join(path, '日')).ino, fs.statSync(join(path, 'ä')).ino);
      assert.equal(fs.readlinkSync(join(path, 'm')), 'ä');
      assert.throws(() => calls.linkat(fd, 'ä', fd, 'm'), { code: 'EEXIST', path: 'm' });
      assert.throws(() => calls.linkat(fd, 'gone', fd, 'n'), { code: 'ENOENT' });
    });

    it('refuse a NUL inside a name, where C would cut it off', (t) => {
      const { path, fd } = opened(t);
      fs.writeFileSync(join(path, 'a'), '');
      assert.throws(() => calls.linkat(fd, 'a', fd, 'b\0c'), TypeError);
      assert.throws(() => calls.linkat(fd, 'a\0', fd, 'b'), TypeError);
      assert.throws(() => calls.mkdirat(fd, 'd\0', 0o700), TypeError);
      assert.deepEqual(fs.readdirSync(path), ['a']);
    });

    it('make a directory and open it, never through a link', (t) => {
      const { path, fd } = opened(t);
      calls.mkdirat(fd, 'd', 0o700);
      assert.equal(fs.statSync(join(path, 'd')).mode & 0o7777, 0o700);
      assert.throws(() => calls.mkdirat(fd, 'd', 0o700), { code: 'EEXIST' });
      const inner = calls.openDirectoryAt(fd, 'd');
      assert.equal(fs.fstatSync(inner).ino, fs.statSync(join(path, 'd')).ino);
      assert.match(fs.readFileSync(`/proc/self/fdinfo/${inner}`, 'latin1'), /^flags:\t0?2\d{6}$/m); // O_CLOEXEC
      fs.closeSync(inner);
      fs.symlinkSync('d', join(path, 'l'));
      assert.throws(() => calls.openDirectoryAt(fd, 'l'), { code: 'ENOTDIR' });
    });

    it('tell kind, mode and size, large ones too, of a link itself', (t) => {
      const { lookAt } = calls;
      if (lookAt === undefined) return;
      const { path, fd } = opened(t);
      fs.writeFileSync(join(path, 'f'), '12345');
      fs.chmodSync(join(path, 'f'), 0o4751);
      assert.deepEqual(lookAt(fd, 'f'), { mode: 0o104751, size: 5 });
      fs.truncateSync(join(path, 'f'), 5 * 2 ** 32 + 7);
      assert.equal(lookAt(fd, 'f')?.size, 5 * 2 ** 32 + 7);
      fs.symlinkSync('nowhere', join(path, 'l'));
      assert.deepEqual(lookAt(fd, 'l'), { mode: 0o120777, size: 7 });
      assert.equal(lookAt(fd, 'gone'), undefined);
      assert.equal(lookAt(fd, 'f/below'), undefined);
      assert.throws(() => lookAt(fd, 'n'.repeat(256)), { code: 'ENAMETOOLONG' });
    });
  });
}
