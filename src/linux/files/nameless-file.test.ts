import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { openNamelessFile } from './nameless-file.ts';

describe('a file without a name', () => {
  it('can be written and read, and leaves nothing in its folder', (t) => {
    const folder = scratch(t);
    const fd = openNamelessFile(folder);
    try {
      assert.deepEqual(fs.readdirSync(folder), []);
      fs.writeSync(fd, 'content');
      assert.equal(fs.readFileSync(`/proc/self/fd/${fd}`, 'latin1'), 'content');
      assert.equal(fs.fstatSync(fd).mode & 0o777, 0o600);
    } finally {
      fs.closeSync(fd);
    }
  });

  it('names the folder when it cannot be made there', (t) => {
    const folder = `${scratch(t)}/absent`;
    assert.throws(() => openNamelessFile(folder), { name: 'SystemError', code: 'ENOENT', message: /absent/ });
  });
});
