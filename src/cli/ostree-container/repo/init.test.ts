import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runNode } from '../../../../test/support/program.ts';
import { scratch } from '../../../../test/support/scratch.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const init = (...words: readonly string[]) => runNode(MAIN, ['repo', 'init', ...words]);
const configOf = (repository: string): string => readFileSync(join(repository, 'config'), 'utf8');

describe('repo init', () => {
  it('makes a repository of the mode that was asked for, and says nothing on standard output', async (t) => {
    const path = join(scratch(t), 'repo');
    const { status, stdout, stderr } = await init('--repo', path, '--mode=archive', '--collection-id=org.example.Os');
    assert.deepEqual([status, stdout, stderr], [0, '', `ostree-container: ${path}: made, of mode archive\n`]);
    assert.equal(configOf(path), '[core]\nrepo_version=1\nmode=archive-z2\ncollection-id=org.example.Os\n');
  });
  it('leaves one that is there as it is, and says so in its document', async (t) => {
    const repository = join(scratch(t), 'repo');
    const document = { schema: 'ostree-container.repo-init/1', repository, mode: 'bare', dryRun: false };
    assert.deepEqual(JSON.parse((await init('--json', `--repo=${repository}`)).stdout), { ...document, created: true });
    const before = configOf(repository);
    assert.deepEqual(JSON.parse((await init('--json', `--repo=${repository}`)).stdout), {
      ...document,
      created: false,
    });
    assert.equal(configOf(repository), before);
    assert.equal((await init(`--repo=${repository}`, '--mode=archive')).status, 1);
  });
  it('makes nothing in a dry run', async (t) => {
    const repository = join(scratch(t), 'repo');
    const { status, stderr } = await init('--dry-run', `--repo=${repository}`);
    assert.deepEqual([status, stderr], [0, `ostree-container: ${repository}: would be made, of mode bare\n`]);
    assert.equal(existsSync(repository), false);
  });
  it('refuses a mode that there is none of, and options of others, by name', async (t) => {
    const path = join(scratch(t), 'repo');
    for (const option of ['--mode=nope', '--sysroot=/', '--extra'])
      assert.deepEqual((await init('--repo', path, option)).status, 2, option);
    assert.match((await init('--sysroot=/')).stderr, /^ostree-container: unknown option "--sysroot"\n/);
  });
});
