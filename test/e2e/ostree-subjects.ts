/** The commands that change a repository or write a tree, each on the smallest data that take it through every step. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { must } from '../support/program.ts';
import {
  changeTree,
  commitWords,
  FIRST_TIME,
  makeRepository,
  makeTree,
  ostree,
  type Place,
  refsOf,
  SECOND_TIME,
} from './ostree-place.ts';

export interface Subject {
  /** The state before. */
  make(place: Place): Promise<void>;
  /** The words behind `ostree-container repo`; `--repo` is added. */
  command(place: Place): readonly string[];
  /** What a fault may leave beside what holds for every repository. */
  whenHit?(place: Place): void;
  /** What success promises beside being equal to the undisturbed run. */
  whenDone?(place: Place): void;
  /** It had come to its end before it was hit: then the same words are refused, as they should be. */
  isDone?(place: Place): boolean;
  /** Names in the repository that may differ from run to run: what tells the time, caches. */
  readonly varies?: RegExp;
  /** Names that outlive a power cut; default all. */
  readonly lasts?: RegExp;
}

/** Where nginx has the repositories of `serveSources`. */
export interface Sources {
  readonly url: string;
}

/** `first` and `second` are one repository before and after its second commit; `delta` has a delta between the two. */
export async function makeSources(folder: string): Promise<void> {
  const tree = join(folder, 'tree');
  const at = (name: string): string => join(folder, name);
  await makeTree(tree);
  await makeRepository(at('first'), 'archive');
  await ostree(at('first'), 'commit', ...commitWords(tree, FIRST_TIME));
  await must('cp', ['-a', at('first'), at('second')]);
  changeTree(tree);
  await ostree(at('second'), 'commit', ...commitWords(tree, SECOND_TIME));
  await must('cp', ['-a', at('second'), at('delta')]);
  await ostree(at('delta'), 'static-delta', 'generate', '--from=main^', '--to=main', '--min-fallback-size=0');
  for (const name of ['first', 'second', 'delta']) await ostree(at(name), 'summary', '-u');
}

async function withRemote(place: Place, url: string, mode = 'bare'): Promise<void> {
  await makeRepository(place.repo, mode);
  await ostree(place.repo, 'remote', 'add', '--no-gpg-verify', 'origin', url);
}

async function committedOnce(place: Place, mode: string): Promise<void> {
  await makeTree(place.tree);
  await makeRepository(place.repo, mode);
  await ostree(place.repo, 'commit', ...commitWords(place.tree, FIRST_TIME));
}

async function committedTwice(place: Place, mode: string): Promise<void> {
  await committedOnce(place, mode);
  changeTree(place.tree);
  await ostree(place.repo, 'commit', ...commitWords(place.tree, SECOND_TIME));
}

/** A target that was not there: it is there as a whole, or not at all. */
function wholeOrAbsent({ target }: Place): void {
  if (fs.existsSync(target)) assert.deepEqual(treeOf(target), ['conf', 'etc', 'etc/conf']);
}

function treeOf(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
}

const MAIN = 'heads/main';

export const COMMITS: Readonly<Record<string, Subject>> = {
  'a first commit of a directory': {
    async make(place) {
      await makeTree(place.tree);
      await makeRepository(place.repo, 'bare');
    },
    command: ({ tree }) => ['commit', ...commitWords(tree, FIRST_TIME)],
    whenDone: ({ repo }) => assert.ok(refsOf(repo)[MAIN]),
  },
  'a second commit that changes a file': {
    async make(place) {
      await committedOnce(place, 'bare');
      changeTree(place.tree);
    },
    command: ({ tree }) => ['commit', ...commitWords(tree, SECOND_TIME)],
  },
  'a commit of a tar archive': {
    async make(place) {
      await makeTree(place.tree);
      await makeRepository(place.repo, 'archive');
      await must('tar', ['--xattrs', '-C', place.tree, '-cf', join(place.root, 'tree.tar'), '.']);
    },
    command: ({ root }) => ['commit', ...commitWords(`--tree=tar=${join(root, 'tree.tar')}`, FIRST_TIME)],
    whenDone: ({ repo }) => assert.ok(refsOf(repo)[MAIN]),
  },
};

export const pulls = (sources: () => Sources): Readonly<Record<string, Subject>> => ({
  'a pull from nothing': {
    make: (place) => withRemote(place, `${sources().url}/first`),
    command: () => ['pull', 'origin', 'main'],
    whenDone: ({ repo }) => assert.ok(refsOf(repo)['remotes/origin/main']),
  },
  'a pull of an update': {
    make: (place) => withFirst(place, `${sources().url}/second`, sources()),
    command: () => ['pull', '--disable-static-deltas', 'origin', 'main'],
  },
  'a pull of a static delta': {
    make: (place) => withFirst(place, `${sources().url}/delta`, sources()),
    command: () => ['pull', '--require-static-deltas', 'origin', 'main'],
  },
  'a mirror of an update': {
    make: (place) => withFirst(place, `${sources().url}/second`, sources(), 'archive'),
    command: () => ['pull', '--mirror', 'origin'],
    whenDone: ({ repo }) => assert.ok(fs.existsSync(join(repo, 'summary'))),
  },
});

async function withFirst(place: Place, url: string, sources: Sources, mode?: string): Promise<void> {
  await withRemote(place, `${sources.url}/first`, mode);
  await ostree(place.repo, 'pull', ...(mode === 'archive' ? ['--mirror'] : []), 'origin', 'main');
  await ostree(place.repo, 'config', 'set', 'remote "origin".url', url);
}

const pullLocal = (from: string, into: string): Subject => ({
  async make(place) {
    await committedOnce(place, from);
    fs.renameSync(place.repo, place.source);
    await makeRepository(place.repo, into);
  },
  command: ({ source }) => ['pull-local', source, 'main'],
  whenDone: ({ repo }) => assert.ok(refsOf(repo)[MAIN]),
});

export const LOCAL_PULLS: Readonly<Record<string, Subject>> = {
  'a local pull that links': pullLocal('bare', 'bare'),
  'a local pull that converts': pullLocal('archive', 'bare'),
};

export const CHECKOUTS: Readonly<Record<string, Subject>> = {
  'a checkout with hard links': {
    make: (place) => committedOnce(place, 'bare'),
    command: ({ target }) => ['checkout', '-H', 'main', target],
    whenHit: wholeOrAbsent,
    isDone: ({ target }) => fs.existsSync(target),
    whenDone: (place) => {
      assert.ok(fs.existsSync(place.target));
      assert.deepEqual(
        fs.readdirSync(place.root).filter((name) => name.startsWith('.')),
        [],
        'leftovers beside the target',
      );
    },
  },
  'a checkout that copies': {
    make: (place) => committedOnce(place, 'archive'),
    command: ({ target }) => ['checkout', 'main', target],
    whenHit: wholeOrAbsent,
    isDone: ({ target }) => fs.existsSync(target),
  },
  'a checkout through the cache of an archive': {
    make: (place) => committedOnce(place, 'archive'),
    command: ({ target }) => ['checkout', '-U', 'main', target],
    whenHit: wholeOrAbsent,
    isDone: ({ target }) => fs.existsSync(target),
    varies: /^uncompressed-objects-cache/,
  },
  'a checkout over an existing target': {
    async make(place) {
      await committedOnce(place, 'archive');
      fs.mkdirSync(join(place.target, 'etc'), { recursive: true });
      fs.writeFileSync(join(place.target, 'etc/conf'), 'of before\n');
    },
    command: ({ target }) => ['checkout', '--union', 'main', target],
    whenHit({ target }) {
      const found = fs.readFileSync(join(target, 'etc/conf'), 'utf8');
      assert.ok(['of before\n', 'first\n'].includes(found), found);
    },
    whenDone: ({ target }) => assert.deepEqual(treeOf(target), ['conf', 'etc', 'etc/conf']),
  },
};

export const MAINTENANCE: Readonly<Record<string, Subject>> = {
  prune: {
    make: (place) => committedTwice(place, 'bare'),
    command: () => ['prune', '--refs-only', '--depth=0'],
    // Other objects that come back are of no commit, and go with the next prune.
    lasts: /\.commit$|^refs\//,
    whenDone({ repo }) {
      const commits = fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' });
      assert.equal(commits.filter((name) => name.endsWith('.commit')).length, 1);
    },
  },
  'a summary': {
    async make(place) {
      await committedOnce(place, 'archive');
      await ostree(place.repo, 'summary', '-u');
      await ostree(place.repo, 'refs', '--create=other', 'main');
    },
    command: () => ['summary', '--update'],
    varies: /^summary$/,
    whenDone: ({ repo }) => assert.match(fs.readFileSync(join(repo, 'summary'), 'latin1'), /other/),
  },
  'a signature': {
    async make(place) {
      await committedOnce(place, 'archive');
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const raw = (key: typeof privateKey, type: 'pkcs8' | 'spki'): Buffer =>
        key.export({ format: 'der', type: type as 'spki' }).subarray(-32);
      const secret = Buffer.concat([raw(privateKey, 'pkcs8'), raw(publicKey, 'spki')]).toString('base64');
      fs.writeFileSync(join(place.root, 'secret.key'), `${secret}\n`, { mode: 0o600 });
    },
    command: ({ root }) => ['sign', '--keys-file', join(root, 'secret.key'), 'main'],
    whenDone({ repo }) {
      const commit = refsOf(repo)[MAIN] ?? '';
      assert.ok(fs.existsSync(join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commitmeta`)));
    },
  },
  'a ref that is made': {
    make: (place) => committedOnce(place, 'bare'),
    command: () => ['refs', '--create', 'os/other', '--force', 'main'],
    whenDone: ({ repo }) => assert.equal(refsOf(repo)['heads/os/other'], refsOf(repo)[MAIN]),
  },
  'a ref that is deleted': {
    async make(place) {
      await committedOnce(place, 'bare');
      await ostree(place.repo, 'refs', '--create=os/other', 'main');
    },
    command: () => ['refs', '--delete', 'os/other'],
    whenDone: ({ repo }) => assert.equal(refsOf(repo)['heads/os/other'], undefined),
  },
};
