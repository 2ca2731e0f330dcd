/** Commits with a history, trees as package managers leave them on the disk, and components out of the air. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { searchPath } from '../../../test/support/needs.ts';
import { type Checksum, encodeCommit, objectsOf, type Repository } from '../../ostree/index.ts';
import { commitTree, type MadeFolder, type MadeTree, transact } from '../stream/stream.fixture.ts';
import { ALWAYS_CHANGING, type Component } from './components.ts';
import { CommitTree } from './tree/commit-tree.ts';

export { commitTree, type MadeTree, newRepository, SIGNAL, transact } from '../stream/stream.fixture.ts';

/** `{'usr/bin/a': 'content', 'bin': {target: 'usr/bin'}}` as a tree. */
export function treeOf(paths: Readonly<Record<string, string | Uint8Array | { readonly target: string }>>): MadeTree {
  const root: MutableTree = {};
  for (const [path, value] of Object.entries(paths)) {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let folder = root;
    for (const part of parts) {
      const below = (folder[part] ?? { inside: {} }) as { inside: MutableTree };
      folder[part] = below;
      folder = below.inside;
    }
    folder[name] = typeof value === 'string' || value instanceof Uint8Array ? { content: value } : value;
  }
  return root;
}

type MutableTree = Record<string, MadeTree[string]>;

/** A folder on the disk, without owners and modes. */
export function treeOnDisk(path: string): MadeTree {
  const tree: MutableTree = {};
  for (const name of readdirSync(path)) {
    const below = join(path, name);
    const stats = lstatSync(below);
    if (stats.isDirectory()) tree[name] = { inside: treeOnDisk(below) } satisfies MadeFolder;
    else if (stats.isSymbolicLink()) tree[name] = { target: readlinkSync(below) };
    else tree[name] = { content: readFileSync(below) };
  }
  return tree;
}

/** A commit of this tree behind others, the oldest first. */
export async function commitHistory(repository: Repository, trees: readonly MadeTree[]): Promise<Checksum> {
  let parent: Checksum | undefined;
  for (const tree of trees) {
    const made = objectsOf(repository).commit(await commitTree(repository, tree));
    const bytes = encodeCommit({ ...made, parent });
    parent = await transact(repository, ({ writer }) => writer.putMetadata('commit', bytes).checksum);
  }
  if (parent === undefined) throw new Error('unreachable: at least one tree');
  return parent;
}

export async function commitTreeOf(repository: Repository, tree: MadeTree): Promise<CommitTree> {
  const reader = objectsOf(repository);
  return new CommitTree(reader, reader.commit(await commitTree(repository, tree)));
}

export function run(program: string, args: readonly string[], cwd: string): void {
  const env = { PATH: searchPath(), LC_ALL: 'C', HOME: cwd, SOURCE_DATE_EPOCH: '1767700000' };
  const { status, stderr, stdout } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${stdout}${stderr}`);
}

export function component(identifier: string, facts: Partial<Component> = {}): Component {
  const plain = { name: identifier, srcid: identifier, changeTimeOffset: 0, changeFrequency: 1, size: 1000 };
  return { identifier, ...plain, ...facts };
}

/** Any components at all, with identifiers of their own. */
export const anyComponents: fc.Arbitrary<Component[]> = fc
  .uniqueArray(
    fc.record({
      identifier: fc.stringMatching(/^[a-z]{1,6}$/),
      changeFrequency: fc.oneof(fc.nat(20), fc.constant(ALWAYS_CHANGING)),
      size: fc.oneof(fc.nat(10_000), fc.nat(2 ** 31), fc.constant(0)),
    }),
    { selector: ({ identifier }) => identifier, maxLength: 200 },
  )
  .map((all) => all.map(({ identifier, ...facts }) => component(identifier, facts)));
