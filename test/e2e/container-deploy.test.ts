/** A deployment that is ended in a bad moment, and one of an image that gets no name. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { imageOf } from '../../src/ostree-container/store/store.fixture.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import { needs } from '../support/needs.ts';
import { must, OSTREE_CONTAINER, runNode, runOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { assertNoLitter, assertSound, contentsOf, refsOf } from './ostree-place.ts';
import { bundled } from './ostree-program.ts';

const repoOf = (sysroot: string): string => join(sysroot, 'ostree/repo');
const deploymentsIn = (sysroot: string): string => join(sysroot, 'ostree/deploy/os/deploy');

async function newSysroot(t: TestContext): Promise<string> {
  const sysroot = scratch(t);
  mkdirSync(join(sysroot, 'ostree'));
  await must('ostree', ['init', `--repo=${repoOf(sysroot)}`, '--mode=bare']);
  return sysroot;
}

const deployWords = (sysroot: string, image: string): readonly string[] => [
  ...['container', 'image', 'deploy', '--sysroot', sysroot, '--imgref', image, '--stateroot', 'os'],
];

describe('a deployment', { skip: needs('strace', 'ostree', 'root') }, () => {
  it('that is killed is whole or has no origin file, and the next run makes one and leaves nothing beside it', async (t) => {
    const { name } = await imageOf(t, { derived: [[{ path: 'etc/new', content: 'new' }]] });
    const image = `ostree-unverified-image:${name}`;
    const model = await newSysroot(t);
    await must(process.execPath, [OSTREE_CONTAINER, 'container', 'image', 'pull', repoOf(model), image]);
    const copy = async (): Promise<string> => {
      const sysroot = makeScratch();
      await must('cp', ['-a', `${model}/.`, sysroot]);
      return sysroot;
    };
    const script = await bundled();
    const undisturbed = await copy();
    assert.equal((await runNode(script, deployWords(undisturbed, image))).status, 0);
    const [expected, refs] = [contentsOf(deploymentsIn(undisturbed)), refsOf(repoOf(undisturbed))];
    removeTree(undisturbed);
    const names = [...expected.keys()].filter((each) => !each.includes('/'));
    assert.equal(names.length, 2);
    const { kills, calls } = await crashMatrix<string>({
      every: 20,
      prepare: copy,
      command: (sysroot) => ({
        file: process.execPath,
        args: [script, ...deployWords(sysroot, image)],
        env: { UV_THREADPOOL_SIZE: '1' },
      }),
      dispose: (sysroot) => removeTree(sysroot),
      async check(sysroot, at) {
        await assertSound(repoOf(sysroot));
        assertNoLitter(repoOf(sysroot));
        const found = contentsOf(deploymentsIn(sysroot));
        const isWhole = [...found.keys()].some((each) => each.endsWith('.0.origin'));
        if (at.stage !== 'hit' || isWhole) assert.deepEqual(found, expected);
        if (at.stage !== 'hit') assert.deepEqual(refsOf(repoOf(sysroot)), refs);
      },
    });
    t.diagnostic(`${kills} runs were hit, of ${JSON.stringify(calls)}`);
  });

  it('of an image without a name holds its layers by itself, and is the same one the second time', async (t) => {
    const { name, layers } = await imageOf(t, { components: 1, derived: [[{ path: 'etc/new', content: 'new' }]] });
    const sysroot = await newSysroot(t);
    const words = [...deployWords(sysroot, `ostree-unverified-image:${name}`), '--no-imgref'];
    const first = await runOstreeContainer(words);
    assert.equal(first.status, 0, first.stderr);
    const refs = Object.keys(refsOf(repoOf(sysroot)));
    assert.deepEqual(
      refs.filter((ref) => ref.includes('/container/image/')),
      [],
    );
    assert.equal(refs.filter((ref) => ref.includes('/container/blob/')).length, layers.length);
    assert.ok(refs.includes('heads/ostree/0/1/0'));
    assert.equal(readFileSync(join(first.stdout.trim(), 'etc/new'), 'utf8'), 'new');
    const pruned = await runOstreeContainer(['container', 'image', 'prune-layers', '--repo', repoOf(sysroot)]);
    assert.equal(pruned.status, 0, pruned.stderr);
    assert.deepEqual(Object.keys(refsOf(repoOf(sysroot))), refs);
    const again = await runOstreeContainer(words);
    assert.equal(again.stdout, first.stdout, again.stderr);
    assert.equal(readdirSync(deploymentsIn(sysroot)).length, 2);
    await assertSound(repoOf(sysroot));
  });
});
