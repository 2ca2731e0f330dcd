/** The store of os-containers when a pull or a pruning is killed: the image before or the image after, and never half of one. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundleProgram } from '../support/bundle.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import { needs } from '../support/needs.ts';
import { makeImage } from '../support/oci-image.ts';
import { must, OS_CONTAINERS, runNode } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { assertNoLitter, refsOf } from './ostree-place.ts';

/** A sample: all of the calls take minutes, and are those of the repository, which has tests of its own. */
const EVERY = 6;
const NAME = 'registry.example.com/team/app:latest';
const BRANCH = 'heads/ociimage/registry.example.com_2Fteam_2Fapp_3Alatest';

const layer = (name: string) => [
  { path: `usr/${name}`, content: name },
  { path: 'usr/version', content: name },
];

describe('the store of os-containers', { skip: needs('strace', 'ostree', 'root') }, () => {
  const folder = makeScratch();
  after(() => removeTree(folder));
  let script = '';
  const env = (place: string) => ({ OS_CONTAINERS_CHECKOUT_PATH: join(place, 'atomic'), HOME: place });
  const repositoryIn = (place: string): string => join(place, 'atomic/.storage/repo');
  const pullWords = (tag: string) => ['pull', '--name', NAME, `oci:${folder}/image:${tag}`];
  const did = async (place: string, words: readonly string[]) => {
    const { status, stderr } = await runNode(script, words, { env: env(place) });
    assert.equal(status, 0, stderr);
  };
  const copied = async (name: string): Promise<string> => {
    const place = join(makeScratch(), name);
    await must('cp', ['-a', join(folder, name), place]);
    return place;
  };

  before(async () => {
    script = await bundleProgram(OS_CONTAINERS, join(folder, 'bundle'));
    const image = join(folder, 'image');
    await makeImage(image, { tag: '1', layers: [layer('base'), layer('one')] });
    await makeImage(image, { tag: '2', layers: [layer('base'), layer('two'), layer('three')] });
    mkdirSync(join(folder, 'first'));
    await did(join(folder, 'first'), pullWords('1'));
    await must('cp', ['-a', join(folder, 'first'), join(folder, 'second')]);
    await did(join(folder, 'second'), pullWords('2'));
  });

  const matrix = (
    from: string,
    words: readonly string[],
    isDone: (refs: Readonly<Record<string, string>>) => boolean,
  ) =>
    crashMatrix<string>({
      every: EVERY,
      prepare: () => copied(from),
      command: (place) => ({
        file: process.execPath,
        args: [script, ...words],
        env: { ...env(place), UV_THREADPOOL_SIZE: '1' },
      }),
      dispose: (place) => removeTree(join(place, '..')),
      async check(place, { stage, name }) {
        const repository = repositoryIn(place);
        await must('ostree', ['fsck', `--repo=${repository}`]);
        if (stage !== 'hit') assert.ok(isDone(refsOf(repository)), name);
        assertNoLitter(repository);
        // Whichever image it is, all of it is there, and can be put together.
        await did(place, ['images', 'info', NAME]);
        await did(place, ['images', 'verify', NAME]);
      },
    });

  it('has the old image or the new one when a pull is killed, and the new one after the next', async (t) => {
    const first = refsOf(repositoryIn(join(folder, 'first')))[BRANCH];
    const { kills, calls } = await matrix('first', pullWords('2'), (refs) => refs[BRANCH] !== first);
    t.diagnostic(`${kills} kills of ${JSON.stringify(calls)}`);
  });

  it('has all that it needs when a pruning is killed, and no more after the next', async (t) => {
    const { kills, calls } = await matrix('second', ['images', 'prune'], (refs) => {
      return Object.keys(refs).filter((ref) => /ociimage\/[0-9a-f]{64}$/.test(ref)).length === 4;
    });
    t.diagnostic(`${kills} kills of ${JSON.stringify(calls)}`);
  });
});
