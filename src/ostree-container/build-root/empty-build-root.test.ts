import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { emptyBuildRoot } from './index.ts';

function makeRoot(t: TestContext): string {
  const root = scratch(t);
  for (const folder of ['run/lock/deep', 'tmp/x', 'var/tmp', 'var/cache/apt/archives', 'var/lib/kept', 'usr']) {
    fs.mkdirSync(join(root, folder), { recursive: true });
  }
  fs.writeFileSync(join(root, 'var/cache/apt/archives/a.deb'), '12345');
  fs.writeFileSync(join(root, 'var/lib/kept/file'), 'kept');
  fs.writeFileSync(join(root, 'usr/file'), 'kept');
  fs.symlinkSync('../usr', join(root, 'tmp/link'));
  return root;
}

const namesIn = (root: string): string[] => fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();

describe('a build root', () => {
  it('loses what is in its temporary directories, and nothing else; links are not followed', (t) => {
    const root = makeRoot(t);
    const { entries, bytes, skipped } = emptyBuildRoot(root, false);
    assert.deepEqual([entries, bytes, skipped], [7, 5, []]);
    assert.deepEqual(namesIn(root), [
      ...['run', 'tmp', 'usr', 'usr/file', 'var', 'var/cache', 'var/lib', 'var/lib/kept', 'var/lib/kept/file'],
      'var/tmp',
    ]);
  });

  it('keeps everything when it is only asked what would go', (t) => {
    const root = makeRoot(t);
    const before = namesIn(root);
    assert.equal(emptyBuildRoot(root, true).entries, 7);
    assert.deepEqual(namesIn(root), before);
  });

  it('may lack any of them, and may have links in their place', (t) => {
    const root = scratch(t);
    fs.mkdirSync(join(root, 'usr'));
    fs.writeFileSync(join(root, 'usr/file'), 'kept');
    fs.symlinkSync('usr', join(root, 'tmp'));
    fs.symlinkSync('usr', join(root, 'var'));
    assert.equal(emptyBuildRoot(root, false).entries, 0);
    assert.deepEqual(fs.readdirSync(root).sort(), ['tmp', 'usr', 'var']);
    assert.deepEqual(fs.readdirSync(join(root, 'usr')), ['file']);
  });

  it('keeps what is mounted in it, also from the same device', { skip: needs('root', 'mount') }, (t) => {
    const root = makeRoot(t);
    const at = join(root, 'var/cache/apt/archives');
    execFileSync('mount', ['--bind', join(root, 'var/lib/kept'), at]);
    const { skipped } = emptyBuildRoot(root, false);
    assert.deepEqual(skipped, ['/var/cache/apt/archives']);
    assert.equal(fs.readFileSync(join(root, 'var/lib/kept/file'), 'utf8'), 'kept');
    assert.deepEqual(fs.readdirSync(join(root, 'run')), []);
  });

  it('of a machine that is no container is left alone', () => {
    assert.throws(() => emptyBuildRoot(undefined, true, () => false), { code: 'NOT_A_CONTAINER' });
  });
});
