/** Images on their way into a repository that has the one before: the least data with which every step is made. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createRepository, openRepository, type Repository } from '../../src/ostree/index.ts';
import { makeOstreeImage } from '../../src/ostree-container/store/store.fixture.ts';
import { commitTree, type MadeTree } from '../../src/ostree-container/stream/stream.fixture.ts';
import { crashMatrix, type Fault } from '../support/crash-matrix.ts';
import { sampleTar } from '../support/oci-image.ts';
import { must, OSTREE_CONTAINER, runNode } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { assertNoLitter, assertSound, contentsOf, refsOf } from './ostree-place.ts';
import { bundled } from './ostree-program.ts';

export const SUBJECTS = ['container image pull', 'container unencapsulate', 'pull'] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface Incoming {
  readonly folder: string;
  /** Holds the first image, or its commit; to be copied. */
  readonly repo: string;
  /** Bring the second one. */
  words(repo: string): readonly string[];
}

export function incoming(subject: Subject, large?: Uint8Array): Promise<Incoming> {
  return subject === 'pull' ? seedIncoming(large) : storeIncoming(subject, large);
}

const treeWith = (changed: string, large?: Uint8Array): MadeTree => ({
  usr: {
    inside: {
      changed: { content: changed },
      same: { content: 'same\n' },
      ...(large !== undefined && { large: { content: Buffer.from(large).toString('latin1') } }),
    },
  },
});

async function storeIncoming(subject: Subject, large?: Uint8Array): Promise<Incoming> {
  const folder = makeScratch();
  const from = newRepository(join(folder, 'from'), 'archive');
  const isStore = subject === 'container image pull';
  const layer = async (name: string) => sampleTar([{ path: `usr/${name}`, content: name }]);
  for (const [name, content, more] of [
    ['one', 'first\n', undefined],
    ['two', 'second\n', large],
  ] as const) {
    const commit = await commitTree(from, treeWith(content, more));
    const derived = isStore ? [await layer('derived'), await layer(name)] : [];
    await makeOstreeImage(join(folder, name), { from, commit, components: 1, derived });
  }
  from.close();
  const image = `ostree-unverified-image:oci:${join(folder, 'image')}`;
  const words = (repo: string): readonly string[] =>
    isStore
      ? ['container', 'image', 'pull', repo, image]
      : ['container', 'unencapsulate', '--repo', repo, '--write-ref', 'main', image];
  return { folder, words, repo: await withFirst(folder, words) };
}

async function seedIncoming(large?: Uint8Array): Promise<Incoming> {
  const folder = makeScratch();
  const source = join(folder, 'from');
  const from = newRepository(source, 'archive');
  for (const [name, content, more] of [
    ['one', 'first\n', undefined],
    ['two', 'second\n', large],
  ] as const) {
    const commit = await commitTree(from, treeWith(content, more));
    const build = ['build', '--repo', source, '--ref', commit, '--no-webserver', '--oci-dir', join(folder, name)];
    await must(process.execPath, [OSTREE_CONTAINER, ...build]);
  }
  from.close();
  const words = (repo: string): readonly string[] => [
    ...['pull', '--repo', repo, '--ref', 'main', '--no-verify'],
    `oci:${join(folder, 'image')}`,
  ];
  return { folder, words, repo: await withFirst(folder, words) };
}

function newRepository(path: string, mode: 'archive' | 'bare'): Repository {
  createRepository(path, { mode });
  return openRepository(path);
}

/** The first image comes under the name under which the second one will be found. */
async function withFirst(folder: string, words: (repo: string) => readonly string[]): Promise<string> {
  const repo = join(folder, 'repo');
  newRepository(repo, 'bare').close();
  await must('ostree', ['config', `--repo=${repo}`, 'set', 'core.lock-timeout-secs', '30']);
  const name = join(folder, 'image');
  symlinkSync('one', name);
  await must(process.execPath, [OSTREE_CONTAINER, ...words(repo)]);
  rmSync(name);
  symlinkSync('two', name);
  return repo;
}

/** A copy of the repository, alone in a folder. */
export async function copyRepository({ repo }: Incoming, parent = makeScratch()): Promise<string> {
  const copy = join(parent, 'repo');
  mkdirSync(parent, { recursive: true });
  await must('cp', ['-a', repo, copy]);
  return copy;
}

/** What stays. A record of a layer that a killed run did not finish is taken away a day later. */
export function lasting(repo: string): ReadonlyMap<string, string> {
  const names = [...contentsOf(repo)].filter(
    ([name]) => !name.startsWith('tmp/') && !/\/layers\/[0-9a-f]{64}\.\d+$/.test(name),
  );
  return new Map(names);
}

/** The ref by which the result is found. */
export function resultIn(repo: string): string {
  const found = Object.entries(refsOf(repo)).filter(([name]) =>
    /^heads\/(main$|ostree\/container\/image\/)/.test(name),
  );
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]?.[1] ?? '';
}

/** A commit of which layers are missing is marked as partial, and its layer's ref leads there. */
export async function assertNoDamage(repo: string): Promise<void> {
  await must('ostree', ['fsck', `--repo=${repo}`]);
}

/** Hit at each durable call, or each so-many-th. @returns what was done, for the report */
export async function crashesOf(subject: Subject, fault: Fault, every: number): Promise<string> {
  const made = await incoming(subject);
  try {
    const script = await bundled();
    const before = resultIn(made.repo);
    const undisturbed = await copyRepository(made);
    assert.equal((await runNode(script, made.words(undisturbed))).status, 0);
    const [after, refs, done] = [resultIn(undisturbed), refsOf(undisturbed), lasting(undisturbed)];
    assert.notEqual(before, after);
    removeTree(undisturbed);
    const { kills, calls } = await crashMatrix<string>({
      fault,
      every,
      prepare: () => copyRepository(made),
      command: (repo) => ({
        file: process.execPath,
        args: [script, ...made.words(repo)],
        env: { UV_THREADPOOL_SIZE: '1' },
      }),
      dispose: (repo) => removeTree(join(repo, '..')),
      async check(repo, at) {
        assertNoLitter(repo);
        if (at.stage === 'hit') {
          await assertNoDamage(repo);
          return assert.ok([before, after].includes(resultIn(repo)));
        }
        await assertSound(repo);
        assert.deepEqual(refsOf(repo), refs);
        assert.deepEqual(lasting(repo), done, 'equal to what the undisturbed run has made');
      },
    });
    return `${kills} runs were hit, of ${JSON.stringify(calls)}`;
  } finally {
    removeTree(made.folder);
  }
}
