/** Repositories that are changed in bad moments: made once, copied for each run, and looked at afterwards. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { type Finished, must, run, runOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

/** What the commands under test read and write. */
export interface Place {
  readonly root: string;
  /** What is committed. */
  readonly tree: string;
  /** The repository that is changed. */
  readonly repo: string;
  /** Another one, to pull from. */
  readonly source: string;
  /** Where to check out. */
  readonly target: string;
}

export function placeAt(root: string): Place {
  const path = (name: string): string => join(root, name);
  return { root, tree: path('tree'), repo: path('repo'), source: path('source'), target: path('target') };
}

/** The reference implementation, which has to succeed. */
export function ostree(repo: string, ...words: readonly string[]): Promise<Finished> {
  return must('ostree', [`--repo=${repo}`, ...words]);
}

/** Ours, of which a failure is a result. */
export function ours(repo: string, ...words: readonly string[]): Promise<Finished> {
  const [command = '', ...rest] = words;
  return runOstreeContainer(['repo', command, '--repo', repo, ...rest]);
}

/** Waits for locks shorter than a test lasts; on a disk of some MiB three percent are nothing. */
export async function makeRepository(repo: string, mode: string): Promise<void> {
  await must('ostree', ['init', `--repo=${repo}`, `--mode=${mode}`]);
  await ostree(repo, 'config', 'set', 'core.lock-timeout-secs', '30');
}

/** One directory, one link, one attribute: the least that has every kind of object. */
export async function makeTree(tree: string): Promise<void> {
  fs.mkdirSync(join(tree, 'etc'), { recursive: true, mode: 0o755 });
  fs.writeFileSync(join(tree, 'etc/conf'), 'first\n');
  fs.symlinkSync('etc/conf', join(tree, 'conf'));
  await must('python3', ['-c', 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"x")', join(tree, 'etc/conf')]);
}

export function changeTree(tree: string): void {
  fs.writeFileSync(join(tree, 'etc/conf'), 'second\n');
}

/** The same tree gives the same commit, whoever makes it, and a second time none. */
export function commitWords(tree: string, seconds: number): readonly string[] {
  return ['-b', 'main', '-s', `commit ${seconds}`, `--timestamp=@${seconds}`, '--skip-if-unchanged', tree];
}

export const FIRST_TIME = 1_700_000_000;
export const SECOND_TIME = 1_700_001_000;

/** A place that is made when it is first wanted, and copied for each that wants one. */
export function model(make: (place: Place) => Promise<void>): { copy(to?: string): Promise<Place>; remove(): void } {
  let made: Promise<Place> | undefined;
  const build = async (): Promise<Place> => {
    const place = placeAt(makeScratch());
    await make(place);
    return place;
  };
  return {
    async copy(to = makeScratch()) {
      made ??= build();
      await must('cp', ['-a', `${(await made).root}/.`, to]);
      return placeAt(to);
    },
    remove() {
      made?.then(({ root }) => removeTree(root));
    },
  };
}

/** Refs as they lie there, names as in `refs/`. */
export function refsOf(repo: string): Readonly<Record<string, string>> {
  const refs = filesBelow(join(repo, 'refs'));
  return Object.fromEntries(refs.map((name) => [name, fs.readFileSync(join(repo, 'refs', name), 'latin1').trimEnd()]));
}

/** Everything below a directory: kind, mode, owner and content of each name, so that two can be compared. */
export function contentsOf(directory: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of namesBelow(directory)) {
    const path = join(directory, name);
    const { mode, uid, gid } = fs.lstatSync(path);
    found.set(name, `${mode.toString(8)} ${uid}:${gid} ${digestOf(path)}`);
  }
  return found;
}

function digestOf(path: string): string {
  const stats = fs.lstatSync(path);
  if (stats.isSymbolicLink()) return fs.readlinkSync(path);
  return stats.isFile() ? createHash('sha256').update(fs.readFileSync(path)).digest('hex') : '';
}

function namesBelow(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.map((entry) => relative(directory, join(entry.parentPath, entry.name))).sort();
}

function filesBelow(directory: string): string[] {
  return namesBelow(directory).filter((name) => !fs.lstatSync(join(directory, name)).isDirectory());
}

/** Every name that a repository may hold outside of `tmp/`; the rest is litter. */
const KNOWN = [
  /^(config|\.lock|summary|summary\.sig|objects|refs|state|extensions|tmp|deltas|delta-indexes)$/,
  /^objects\/[0-9a-f]{2}(\/[0-9a-f]{62}\.(commit|commitmeta|dirtree|dirmeta|file|filez|tombstone-commit))?$/,
  /^refs\/(heads|remotes|mirrors)(\/[^./][^/]*)*$/,
  /^state\/[0-9a-f]{64}\.commitpartial$/,
  /^(deltas|delta-indexes)(\/[^./][^/]*)*$/,
  /^uncompressed-objects-cache(\/[0-9a-f]{2}(\/[0-9a-f]{62}\.file)?)?$/,
  /^extensions(\/tako(\/[^./][^/]*)*)?$/,
];

export function assertNoLitter(repo: string): void {
  const names = namesBelow(repo).filter((name) => !name.startsWith('tmp/'));
  assert.deepEqual(
    names.filter((name) => !KNOWN.some((known) => known.test(name))),
    [],
    'names outside of tmp/ that nobody will remove',
  );
}

/** What a run that succeeded may leave there: caches. */
export function assertTmpEmpty(repo: string): void {
  const names = namesBelow(join(repo, 'tmp')).filter((name) => !/^cache(\/|$)/.test(name));
  assert.deepEqual(names, [], 'leftovers in tmp/');
}

/**
 * The reference finds nothing wrong. A commit may be marked as partial while a ref leads to it already, for the mark
 * goes last: then it is whole all the same.
 */
export async function assertSound(repo: string): Promise<void> {
  const marks = Object.values(refsOf(repo)).map((commit) => join(repo, 'state', `${commit}.commitpartial`));
  const early = [...new Set(marks)].filter((mark) => fs.existsSync(mark));
  for (const mark of early) fs.renameSync(mark, `${mark}.away`);
  await assertFsck(repo);
  for (const [ref, commit] of Object.entries(refsOf(repo))) {
    const object = join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commit`);
    assert.ok(fs.existsSync(object), `${ref} leads to ${commit}, which is not there`);
  }
  for (const mark of early) fs.renameSync(`${mark}.away`, mark);
}

async function assertFsck(repo: string): Promise<void> {
  const { status, stdout, stderr } = await run('ostree', ['fsck', `--repo=${repo}`]);
  assert.equal(status, 0, `ostree fsck: ${stderr}${stdout}`);
}
