import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { type Directory, openDirectory } from './directory.ts';
import { removeTree } from './remove-tree.ts';

function make(t: TestContext): { path: string; directory: Directory } {
  const path = scratch(t);
  const directory = openDirectory(path);
  t.after(() => directory.close());
  return { path, directory };
}

describe('a tree that is removed', () => {
  it('takes everything in it along, and nothing that its links lead to', (t) => {
    const { path, directory } = make(t);
    mkdirSync(join(path, 'tree/a/b/c'), { recursive: true });
    mkdirSync(join(path, 'other'));
    writeFileSync(join(path, 'other/file'), '');
    writeFileSync(join(path, 'tree/a/file'), '');
    symlinkSync('../../other', join(path, 'tree/a/link'));
    assert.equal(removeTree(directory, 'tree'), true);
    assert.deepEqual(readdirSync(path), ['other']);
    assert.ok(existsSync(join(path, 'other/file')));
  });
  it('may be a file or a link, or not be there', (t) => {
    const { path, directory } = make(t);
    mkdirSync(join(path, 'other'));
    symlinkSync('other', join(path, 'link'));
    assert.deepEqual([removeTree(directory, 'link'), removeTree(directory, 'none')], [true, false]);
    assert.deepEqual(readdirSync(path), ['other']);
  });
  it('that somebody mounted something in stays as far as that, and says where', { skip: needs('mount') }, (t) => {
    const { path, directory } = make(t);
    mkdirSync(join(path, 'tree/mounted'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(path, 'tree/mounted')]);
    writeFileSync(join(path, 'tree/mounted/file'), '');
    assert.throws(() => removeTree(directory, 'tree'), { code: 'MOUNTED', subject: join(path, 'tree/mounted') });
    assert.ok(existsSync(join(path, 'tree/mounted/file')));
  });

  it('goes with names that are no UTF-8', (t) => {
    const { path, directory } = make(t);
    const folder = Buffer.concat([Buffer.from(`${path}/tree/`), Buffer.from([0xff, 0x61])]);
    mkdirSync(join(path, 'tree'));
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from([0x2f, 0xfe])]), '');
    assert.equal(removeTree(directory, 'tree'), true);
    assert.deepEqual(readdirSync(path), []);
  });
});
