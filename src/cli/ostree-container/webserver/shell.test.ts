import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../../test/support/scratch.ts';
import { array, string, type Vardict, variantOf } from '../../../gvariant/index.ts';
import { commitTrees, createRepository, openRepository, type Repository } from '../../../ostree/index.ts';
import { shellOf } from './shell.ts';

type Test = Parameters<typeof scratch>[0];

async function repositoryWith(t: Test, metadata: Vardict): Promise<Repository> {
  const folder = scratch(t);
  const [path, tree] = [join(folder, 'repo'), join(folder, 'tree')];
  mkdirSync(tree);
  createRepository(path, { mode: 'archive' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  const request = { trees: [{ kind: 'directory' as const, path: tree }], branch: 'os', timestamp: 0, metadata };
  await commitTrees(repository, request, { signal: new AbortController().signal, fsync: false });
  return repository;
}

const words = (...list: readonly string[]): Vardict => [['ostree.container-cmd', variantOf(array(string), list)]];

describe('the shell of an image', () => {
  it('is what was named when it was built, before what the commit names, before /bin/sh', async (t) => {
    const named = await repositoryWith(t, words('bash', '-l'));
    assert.deepEqual(shellOf({ OSTREE_CONTAINER_CMD: '["zsh"]' }, named), ['zsh']);
    assert.deepEqual(shellOf({}, named), ['bash', '-l']);
    assert.deepEqual(shellOf({}, await repositoryWith(t, [])), ['/bin/sh']);
    assert.deepEqual(shellOf({}, undefined), ['/bin/sh']);
  });

  for (const value of ['', 'zsh', '"zsh"', '[]', '[1]', '{}', '["a"', 'null']) {
    it(`is not taken from ${JSON.stringify(value)} in the environment`, () =>
      assert.deepEqual(shellOf({ OSTREE_CONTAINER_CMD: value }, undefined), ['/bin/sh']));
  }

  it('is not taken from a commit that names no words', async (t) => {
    assert.deepEqual(shellOf({}, await repositoryWith(t, words())), ['/bin/sh']);
    const text: Vardict = [['ostree.container-cmd', variantOf(string, 'bash')]];
    assert.deepEqual(shellOf({}, await repositoryWith(t, text)), ['/bin/sh']);
  });
});
