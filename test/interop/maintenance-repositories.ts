/** Repositories with histories, made by the program ostree, and ways to damage them. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

export type Cleanup = Parameters<typeof scratch>[0];

export interface History {
  readonly path: string;
  /** Oldest first. */
  readonly main: readonly string[];
  readonly dev: readonly string[];
}

export async function ostree(repository: string, ...words: readonly string[]): Promise<string> {
  return (await must('ostree', [`--repo=${repository}`, ...words])).stdout.trim();
}

/** One second between commits, the first one at `START`. */
export const START = 1_700_000_000;

/**
 * `main` with four commits, `dev` with three, an alias of `main`, the remote ref `origin:old` at the oldest of `main`,
 * a commit without a ref, and deltas that lead to the last two of `main` in archives.
 */
export async function makeHistory(test: Cleanup, mode = 'archive', config: readonly string[] = []): Promise<History> {
  const folder = scratch(test);
  const path = join(folder, 'repo');
  await must('ostree', [`--repo=${path}`, 'init', `--mode=${mode}`]);
  for (const line of config) await ostree(path, 'config', 'set', ...line.split('='));
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'dir', 'inner'), { recursive: true });
  writeFileSync(join(tree, 'same'), 'the same in all of them '.repeat(100));
  let count = 0;
  const commit = async (branch: string): Promise<string> => {
    const number = count++;
    writeFileSync(join(tree, 'dir', 'inner', 'number'), `this is number ${number} `.repeat(50));
    writeFileSync(join(tree, `file-of-${branch}`), `${branch} ${number} `.repeat(50));
    const where = branch === 'none' ? ['--orphan'] : [`--branch=${branch}`];
    return ostree(path, 'commit', ...where, `--subject=${number}`, `--timestamp=@${START + number}`, tree);
  };
  const main = [await commit('main'), await commit('main')];
  const dev = [await commit('dev'), await commit('dev')];
  main.push(await commit('main'), await commit('main'));
  dev.push(await commit('dev'));
  await commit('none');
  await ostree(path, 'refs', '--alias', '--create=other/alias', 'main');
  await ostree(path, 'refs', '--create=origin:old', main[0] ?? '');
  if (mode === 'archive') {
    await ostree(path, 'static-delta', 'generate', 'main');
    await ostree(path, 'static-delta', 'generate', '--empty', 'main^');
  }
  return { path, main, dev };
}

export function copyOf(test: Cleanup, repository: string): string {
  const to = join(scratch(test), 'repo');
  cpSync(repository, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return to;
}

/** With owners, modes and extended attributes. */
export async function exactCopyOf(test: Cleanup, repository: string): Promise<string> {
  const to = join(scratch(test), 'repo');
  await must('cp', ['-a', repository, to]);
  return to;
}

/** Relative paths of the files below a folder of a repository, sorted. */
export function filesIn(repository: string, folder: string): string[] {
  const root = join(repository, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** What a prune may change. */
export function contentsOf(repository: string) {
  const folders = ['objects', 'state', 'deltas', 'refs', 'tmp/cache'] as const;
  return Object.fromEntries(folders.map((folder) => [folder, filesIn(repository, folder)]));
}

/** The first object of a kind that a commit needs. */
export async function objectOf(repository: string, commit: string, type: string): Promise<string> {
  if (type === 'commit') return objectPath(repository, commit, type);
  const words = type === 'file' ? ['/same'] : ['-d', '/dir'];
  const line = await ostree(repository, 'ls', '-C', commit, ...words);
  const [first = '', second = ''] = line.match(/[0-9a-f]{64}/g) ?? [];
  // Directories are listed with the checksum of their tree, then that of their metadata.
  return objectPath(repository, type === 'dirmeta' ? second : first, type);
}

export function objectPath(repository: string, checksum: string, type: string): string {
  const isArchive = readFileSync(join(repository, 'config'), 'utf8').includes('archive');
  const extension = type === 'file' && isArchive ? 'filez' : type;
  return join(repository, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.${extension}`);
}

/** Another byte in the middle of a file, in place: its attributes and links stay. */
export function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  writeFileSync(path, bytes);
}
