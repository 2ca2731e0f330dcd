import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { settledPath } from './settled-path.ts';

function settled(t: TestContext, path: string): string | undefined {
  const fd = fs.openSync(path, 'r');
  t.after(() => fs.closeSync(fd));
  return settledPath(fd);
}

describe('the path of a directory', () => {
  it('is settled when nobody else can change it, also below a sticky directory', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'a/b'), { recursive: true });
    assert.equal(settled(t, join(dir, 'a/b')), join(dir, 'a/b'));
    assert.equal(settled(t, '/'), '/');
  });

  it('is found without the links that led to it', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'real'));
    fs.symlinkSync('real', join(dir, 'link'));
    assert.equal(settled(t, join(dir, 'link')), join(dir, 'real'));
  });

  it('is not settled below a directory that others, or a group, may write', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'open/inner'), { recursive: true });
    for (const mode of [0o777, 0o775]) {
      fs.chmodSync(join(dir, 'open'), mode);
      assert.equal(settled(t, join(dir, 'open/inner')), undefined);
    }
  });

  it('is not settled in the directory of another user, nor as their entry of a sticky one', {
    skip: needs('root'),
  }, (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'theirs/inner'), { recursive: true });
    fs.chownSync(join(dir, 'theirs'), 1234, 1234);
    assert.equal(settled(t, join(dir, 'theirs/inner')), undefined);
    fs.chmodSync(dir, 0o1777);
    assert.equal(settled(t, join(dir, 'theirs')), undefined);
  });

  it('is not settled when the directory was removed, or another one is in its place', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'd'));
    const fd = fs.openSync(join(dir, 'd'), 'r');
    t.after(() => fs.closeSync(fd));
    fs.rmdirSync(join(dir, 'd'));
    assert.equal(settledPath(fd), undefined);
  });
});
