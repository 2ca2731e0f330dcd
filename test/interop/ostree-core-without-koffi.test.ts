/** The optional package koffi is missing: archives can be read, and what is impossible says so. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RepositoryMode } from '../../src/ostree/repository/config.ts';
import { createRepository } from '../../src/ostree/repository/repository.ts';
import { namesBelow } from '../../src/ostree/storage/storage.fixture.ts';
import { must, runNode } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const CHILD = join(import.meta.dirname, 'ostree-core-child.js');
const BLOCK = join(import.meta.dirname, '../support/block-koffi.cjs');

const without = (...words: string[]) => runNode(CHILD, words, { env: { NODE_OPTIONS: `--require ${BLOCK}` } });

describe('without koffi', () => {
  for (const [mode, code] of [
    ['archive', undefined],
    ['bare-user-only', undefined],
    ['bare', 'NO_XATTRS'],
    ['bare-user', 'NO_XATTRS'],
  ] as const satisfies readonly (readonly [RepositoryMode, string | undefined])[]) {
    it(`a repository of mode ${mode} ${code === undefined ? 'can' : 'cannot'} be read`, async (t) => {
      const path = join(scratch(t), 'repo');
      createRepository(path, { mode });
      await must(process.execPath, [CHILD, 'commit', path, 'main', '1', '2', '1']);
      const { status, stdout } = await without('read', path, 'main');
      if (code === undefined) assert.deepEqual([status, stdout], [0, 'f000000 1024\nf000001 1024\ndone\n']);
      else assert.deepEqual([status, stdout], [1, `failed ${code}\n`]);
    });
  }

  it('nothing can be written, and nothing is left of the attempt', async (t) => {
    const path = join(scratch(t), 'repo');
    createRepository(path, { mode: 'archive' });
    const { status, stdout } = await without('commit', path, 'main', '1', '2', '1');
    assert.deepEqual([status, stdout], [1, 'failed NO_OFD_LOCKS\n']);
    assert.deepEqual(namesBelow(join(path, 'tmp')), []);
    assert.deepEqual(namesBelow(join(path, 'objects')), []);
  });
});
