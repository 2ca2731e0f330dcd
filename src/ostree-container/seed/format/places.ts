/**
 * A commit's tree as a container sees it: `usr/etc` is `etc`. Without a place are a commit's own `ostree`, where the
 * repository is, and an `etc` beside `usr/etc`; their objects are in the repository all the same.
 */
import { assertDepth, type Checksum, type DirMeta, type ObjectReader } from '../../../ostree/index.ts';
import { SeedError } from '../error.ts';

/** Paths without a leading slash; the root is `''`. */
export type Place =
  | { readonly kind: 'directory'; readonly path: string; readonly meta: DirMeta }
  | { readonly kind: 'file'; readonly path: string; readonly checksum: Checksum };

/** Two directories may share one tree, and a few small trees make any number of paths. */
const MOST_PATHS = 10_000_000;

interface Step {
  readonly tree: Checksum;
  readonly meta: Checksum;
  readonly own: string;
  readonly path: string;
  readonly depth: number;
}

/**
 * A directory before what is in it, files before directories, by name.
 * @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, TOO_LARGE; SeedError SEED_LIMIT
 */
export function* placesOf(
  reader: ObjectReader,
  { rootTree, rootMeta }: { readonly rootTree: Checksum; readonly rootMeta: Checksum },
): Generator<Place> {
  const hidden = hiddenAtTop(reader, rootTree);
  const open: Step[] = [{ tree: rootTree, meta: rootMeta, own: '', path: '', depth: 0 }];
  let paths = 0;
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { own, path, depth } = step;
    assertDepth(depth);
    yield { kind: 'directory', path, meta: reader.dirMeta(step.meta) };
    const { files, directories } = reader.dirTree(step.tree);
    paths += files.length + directories.length;
    if (paths > MOST_PATHS) throw new SeedError('SEED_LIMIT', `the tree has more than ${MOST_PATHS} paths`);
    for (const { name, checksum } of files) {
      if (own !== '' || !hidden.has(name)) yield { kind: 'file', path: below(own, path, name), checksum };
    }
    for (const { name, tree, meta } of directories.toReversed()) {
      if (own === '' && hidden.has(name)) continue;
      open.push({ tree, meta, own: join(own, name), path: below(own, path, name), depth: depth + 1 });
    }
  }
}

function hiddenAtTop(reader: ObjectReader, rootTree: Checksum): ReadonlySet<string> {
  const usr = reader.dirTree(rootTree).directories.find(({ name }) => name === 'usr');
  const { files = [], directories = [] } = usr === undefined ? {} : reader.dirTree(usr.tree);
  const hasUsrEtc = [...files, ...directories].some(({ name }) => name === 'etc');
  return new Set(hasUsrEtc ? ['ostree', 'etc'] : ['ostree']);
}

function below(own: string, path: string, name: string): string {
  return own === 'usr' && name === 'etc' ? 'etc' : join(path, name);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
