import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { runNode } from '../../../../test/support/program.ts';
import { scratch } from '../../../../test/support/scratch.ts';
import { createRepository } from '../../../ostree/index.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');

function prepared(t: TestContext) {
  const folder = scratch(t);
  const repository = join(folder, 'repo');
  createRepository(repository, { mode: 'archive' });
  mkdirSync(join(folder, 'tree'));
  writeFileSync(join(folder, 'tree/a'), 'content');
  const commit = (...words: readonly string[]) =>
    runNode(MAIN, ['repo', 'commit', `--repo=${repository}`, '--timestamp=@5', '--no-xattrs', ...words], {
      cwd: folder,
    });
  return { folder, commit };
}

describe('repo commit', () => {
  it('prints the checksum and nothing else on standard output', async (t) => {
    const { commit } = prepared(t);
    const { status, stdout } = await commit('-b', 'main', 'tree');
    assert.equal(status, 0);
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
  });
  it('prints numbers beside it when asked to, or a document', async (t) => {
    const { commit } = prepared(t);
    const table = (await commit('-b', 'main', '--owner-uid=0', '--owner-gid=0', '--table-output', 'tree')).stdout;
    const names = table.split('\n').map((line) => line.split(':')[0]);
    const content = ['Content Total', 'Content Written', 'Content Cache Hits', 'Content Bytes Written'];
    assert.deepEqual(names, ['Commit', 'Metadata Total', 'Metadata Written', ...content, '']);
    const { stdout } = await commit(
      '--json',
      '--skip-if-unchanged',
      '--owner-uid=0',
      '--owner-gid=0',
      '-b',
      'main',
      'tree',
    );
    const document = JSON.parse(stdout);
    const { schema, commit: checksum, parent, branch, unchanged, contentTotal, contentWritten } = document;
    assert.deepEqual([schema, branch, unchanged], ['ostree-container.repo-commit/1', 'main', true]);
    assert.deepEqual([parent, contentTotal, contentWritten], [checksum, 1, 0]);
    assert.ok(table.startsWith(`Commit: ${checksum}\n`));
  });
  it('reads an archive from standard input', async (t) => {
    const { folder, commit } = prepared(t);
    const tar = Buffer.alloc(10240); // an empty one
    const words = [
      'repo',
      'commit',
      `--repo=${join(folder, 'repo')}`,
      '--orphan',
      '--tree=tar=-',
      '--tar-autocreate-parents',
    ];
    const { status, stdout } = await runNode(MAIN, words, { input: tar });
    assert.deepEqual([status, stdout.length], [0, 65]);
    assert.equal((await commit('--orphan', '--tree=tar=-', '--tree=tar=-')).status, 2);
  });
  for (const words of [
    ['tree'],
    ['-b', 'a', '--orphan', 'tree'],
    ['--orphan', '--tree=dir=tree', 'tree'],
    ['--orphan', '--tree=tree'],
    ['--orphan', '--tree=dir='],
    ['--orphan', '-m', 'a', '-F', 'tree/a', 'tree'],
    ['--orphan', '--canonical-permissions', '--owner-uid=5', 'tree'],
    ['--orphan', '--owner-uid=4294967295', 'tree'],
    ['--orphan', '--add-metadata-string=x', 'tree'],
    ['--orphan', '--add-metadata-string==x', 'tree'],
    ['--orphan', '--no-bindings', '--bind-ref=a', 'tree'],
    ['--orphan', '--gpg-homedir=/x', 'tree'],
    ['--orphan', '--fsync=perhaps', 'tree'],
    ['--orphan', '--timestamp=yesterday', 'tree'],
    ['--orphan', '--tar-pathname-filter=x', 'tree'],
    ['--orphan', '--selinux-policy=/', 'tree'],
    ['--orphan', '--consume', 'tree'],
    ['--orphan', '--editor', 'tree'],
  ]) {
    it(`refuses "${words.join(' ')}" as wrong usage`, async (t) => {
      assert.equal((await prepared(t).commit(...words)).status, 2);
    });
  }
});
