/**
 * A commit's tree in the order of the export stream, and where its files are in the container: `usr/etc` is `etc`.
 *
 * Nothing of the commit's own `sysroot` has a place, for the repository is there; nor has an `etc` beside a `usr/etc`,
 * out of which libostree would make the `/etc` of a host. Their objects belong to the stream like all others.
 */
import {
  assertDepth,
  type Checksum,
  type DirMeta,
  type DirTree,
  decodeDirMeta,
  decodeDirTree,
  type MetadataType,
  type ObjectReader,
  OstreeError,
  sha256,
} from '../../../ostree/index.ts';
import { StreamError } from '../error.ts';

/** A place without `path` has none in the container. The bytes are those that give the checksum. */
export type TreeStep =
  | { readonly kind: 'dirtree'; readonly checksum: Checksum; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly checksum: Checksum; readonly path: string | undefined }
  | {
      readonly kind: 'directory';
      readonly checksum: Checksum;
      readonly bytes: Uint8Array;
      readonly meta: DirMeta;
      readonly path: string | undefined;
    };

/** Where a directory is: in the commit, and in the container. The root is `''` in both. */
interface Place {
  readonly own: string;
  readonly path: string | undefined;
}

/** Two directories may share one tree, and a few small trees make any number of paths. */
const MOST_PATHS = 10_000_000;

/**
 * Below the root: for each directory its dirtree, its files, then each of its directories, the dirmeta first.
 * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED, TOO_LARGE; StreamError STREAM_LIMIT
 */
export function* treeSteps(reader: ObjectReader, rootTree: Checksum): Generator<TreeStep> {
  const hidden = hiddenAtTop(reader, rootTree);
  const open: {
    readonly place: Place;
    readonly directories: Iterator<{ name: string; tree: string; meta: string }>;
  }[] = [];
  let paths = 0;
  let next: { readonly tree: Checksum; readonly place: Place } | undefined = {
    tree: rootTree,
    place: { own: '', path: '' },
  };
  for (;;) {
    if (next !== undefined) {
      assertDepth(open.length);
      const { place, tree } = next;
      const bytes = readMetadata(reader, tree, 'dirtree');
      const { files, directories } = decodeDirTree(bytes, `dirtree ${tree}`);
      paths += files.length + directories.length;
      if (paths > MOST_PATHS) throw new StreamError('STREAM_LIMIT', `the tree has more than ${MOST_PATHS} paths`);
      yield { kind: 'dirtree', checksum: tree, bytes };
      for (const { name, checksum } of files) {
        yield { kind: 'file', checksum, path: placeOf(place, name, hidden).path };
      }
      open.push({ place, directories: directories.values() });
    }
    const here = open.at(-1);
    if (here === undefined) return;
    const { done, value } = here.directories.next();
    if (done === true) {
      open.pop();
      next = undefined;
      continue;
    }
    const place = placeOf(here.place, value.name, hidden);
    const bytes = readMetadata(reader, value.meta, 'dirmeta');
    const meta = decodeDirMeta(bytes, `dirmeta ${value.meta}`);
    yield { kind: 'directory', checksum: value.meta, bytes, meta, path: place.path };
    next = { tree: value.tree, place };
  }
}

/**
 * Every content object of a commit, and where its files are in the container: no place at all for some.
 * @throws as `treeSteps`
 */
export function contentTargets(reader: ObjectReader, rootTree: Checksum): Map<Checksum, string[]> {
  const targets = new Map<Checksum, string[]>();
  for (const step of treeSteps(reader, rootTree)) {
    if (step.kind !== 'file') continue;
    const paths = targets.get(step.checksum) ?? [];
    if (step.path !== undefined) paths.push(step.path);
    targets.set(step.checksum, paths);
  }
  return targets;
}

/** Has the commit something at `var/tmp`, or no directory that it could be in? */
export function hasVarTmp(reader: ObjectReader, rootTree: Checksum): boolean {
  const root = readTree(reader, rootTree);
  if (root.files.some(({ name }) => name === 'var')) return true;
  const tree = root.directories.find(({ name }) => name === 'var')?.tree;
  return tree !== undefined && namesOf(reader, tree).includes('tmp');
}

/** Metadata as they are stored, held against their name. @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT */
export function readMetadata(reader: ObjectReader, checksum: Checksum, type: MetadataType): Uint8Array {
  const bytes = reader.metadata(checksum, type);
  const found = sha256(bytes);
  if (found === checksum) return bytes;
  throw new OstreeError('OBJECT_CORRUPT', `${type} ${checksum}: its content gives ${found}`, { subject: checksum });
}

function hiddenAtTop(reader: ObjectReader, rootTree: Checksum): ReadonlySet<string> {
  const usr = readTree(reader, rootTree).directories.find(({ name }) => name === 'usr');
  const hasUsrEtc = usr !== undefined && namesOf(reader, usr.tree).includes('etc');
  return new Set(hasUsrEtc ? ['sysroot', 'etc'] : ['sysroot']);
}

function readTree(reader: ObjectReader, tree: Checksum): DirTree {
  return decodeDirTree(readMetadata(reader, tree, 'dirtree'), `dirtree ${tree}`);
}

function namesOf(reader: ObjectReader, tree: Checksum): readonly string[] {
  const { files, directories } = readTree(reader, tree);
  return [...files, ...directories].map(({ name }) => name);
}

function placeOf({ own, path }: Place, name: string, hidden: ReadonlySet<string>): Place {
  if (own === '') return { own: name, path: hidden.has(name) ? undefined : name };
  const below = `${own}/${name}`;
  if (below === 'usr/etc') return { own: below, path: 'etc' };
  return { own: below, path: path === undefined ? undefined : `${path}/${name}` };
}
