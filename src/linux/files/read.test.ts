import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { openDirectory } from './directory.ts';
import { readBounded, readFileBounded } from './read.ts';

describe('a small file', () => {
  it('is read whole up to the limit, and refused one byte above', (t) => {
    const dir = scratch(t);
    const directory = openDirectory(dir);
    for (const size of [0, 1, 9, 10]) {
      fs.writeFileSync(join(dir, 'f'), 'x'.repeat(size));
      assert.equal(readBounded(directory, 'f', 10)?.bytes.length, size);
    }
    fs.writeFileSync(join(dir, 'f'), 'x'.repeat(11));
    assert.throws(() => readBounded(directory, 'f', 10), { code: 'TOO_LARGE', subject: join(dir, 'f') });
    directory.close();
  });

  it('is read whole when its size says 0, and the limit holds there, too', () => {
    const proc = openDirectory('/proc/self');
    const whole = fs.readFileSync('/proc/self/mountinfo', 'latin1');
    assert.equal(Buffer.from(readBounded(proc, 'mountinfo', 2 ** 20)?.bytes ?? []).toString('latin1'), whole);
    assert.throws(() => readBounded(proc, 'mountinfo', 10), { code: 'TOO_LARGE' });
    proc.close();
  });

  it('that is absent is undefined; a link is not a regular file', (t) => {
    const dir = scratch(t);
    const directory = openDirectory(dir);
    assert.equal(readBounded(directory, 'f', 10), undefined);
    fs.symlinkSync('/etc/passwd', join(dir, 'l'));
    assert.throws(() => readBounded(directory, 'l', 10), { code: 'NOT_A_REGULAR_FILE' });
    directory.close();
  });
});

describe('a file by its path', () => {
  it('is read, through a link where only we could have put it', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'f'), 'four');
    fs.symlinkSync('f', join(dir, 'l'));
    for (const name of ['f', 'l']) {
      const { bytes, stats } = readFileBounded(join(dir, name), 4);
      assert.equal(stats.size, 4);
      assert.equal(Buffer.from(bytes).toString(), 'four');
      assert.throws(() => readFileBounded(join(dir, name), 3), { code: 'TOO_LARGE' });
    }
    fs.chmodSync(dir, 0o777);
    assert.throws(() => readFileBounded(join(dir, 'l'), 4), { code: 'UNSAFE_LINK' });
  });

  it('that is a directory, a device or written like a directory is refused', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'f'), '');
    for (const path of [dir, '/dev/null', `${dir}/f/`]) {
      assert.throws(() => readFileBounded(path, 4), { code: 'NOT_A_REGULAR_FILE', subject: path });
    }
    assert.throws(() => readFileBounded(join(dir, 'x'), 4), { code: 'ENOENT', path: join(dir, 'x') });
  });
});
