/** Trees laid over each other in the order of the command line. */
import { quote } from '../../base/text.ts';
import { safePath } from '../../tar/index.ts';
import { OstreeError } from '../error.ts';
import { partialReason } from '../repository/partial.ts';
import { resolveRevision } from '../repository/resolve.ts';
import type { Transaction } from '../storage/transaction.ts';
import { addCommit } from './add-commit.ts';
import { type AddOptions, addDirectory } from './add-directory.ts';
import { type AddTarOptions, addTar, type TarSource } from './add-tar.ts';
import { DirMetas } from './dir-metas.ts';
import { type Modifiers, PLAIN_DIRECTORY } from './modifiers.ts';
import { MutableTree, type Root } from './mutable-tree.ts';

/** One `--tree`. */
export type TreeSource =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'tar'; readonly source: TarSource }
  | { readonly kind: 'commit'; readonly revision: string }
  /** Those that follow go below this path, which is made of plain directories where it is absent. */
  | { readonly kind: 'prefix'; readonly path: string };

export interface TreeOptions extends AddOptions, AddTarOptions {
  /** A commit that everything is laid over; no modifiers apply to it. */
  readonly base?: string | undefined;
}

/** @throws OstreeError REF_MISSING, COMMIT_PARTIAL; what the sources throw */
export async function buildTree(
  transaction: Transaction,
  sources: readonly TreeSource[],
  modifiers: Modifiers,
  options: TreeOptions,
): Promise<MutableTree> {
  const tree =
    options.base === undefined
      ? MutableTree.empty()
      : MutableTree.of(transaction.writer.reader, rootOf(transaction, options.base));
  let into = tree;
  for (const source of sources) {
    if (source.kind === 'prefix') into = prefixIn(transaction, tree, source.path);
    else await add(transaction, into, source, modifiers, options);
  }
  modifiers.assertAllMatched();
  return tree;
}

async function add(
  transaction: Transaction,
  tree: MutableTree,
  source: Exclude<TreeSource, { kind: 'prefix' }>,
  modifiers: Modifiers,
  options: TreeOptions,
): Promise<void> {
  switch (source.kind) {
    case 'directory':
      return addDirectory(transaction, tree, source.path, modifiers, options);
    case 'tar':
      return addTar(transaction, tree, source.source, modifiers, options);
    case 'commit':
      return addCommit(transaction, tree, rootOf(transaction, source.revision), modifiers, options);
  }
}

function prefixIn(transaction: Transaction, tree: MutableTree, path: string): MutableTree {
  const metas = new DirMetas(transaction.writer);
  let at = tree;
  for (const name of [undefined, ...safePath(path)]) {
    if (name !== undefined) at = at.ensureDirectory(name);
    if (at.meta === undefined) at.setMeta(metas.put(PLAIN_DIRECTORY));
  }
  return at;
}

/** @throws OstreeError COMMIT_PARTIAL, for files of it may be missing */
function rootOf({ repository, writer }: Transaction, revision: string): Root {
  const checksum = resolveRevision(repository, revision);
  const commit = writer.reader.commit(checksum);
  if (partialReason(repository, checksum) !== undefined) {
    throw new OstreeError('COMMIT_PARTIAL', `${quote(revision)}: objects of this commit may be missing`, {
      hint: 'pull the whole commit first',
      subject: checksum,
    });
  }
  return commit;
}
