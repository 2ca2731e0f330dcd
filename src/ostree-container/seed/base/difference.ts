/** What lies on top of a base so that both together are a commit: the entries of one more layer. */
import type { DirMeta, Xattrs } from '../../../ostree/index.ts';
import type { LayerEntry } from '../build/files-layer.ts';
import type { Place } from '../format/places.ts';
import type { BaseDirectory, BaseFile, BaseNode } from './base-tree.ts';

export interface Difference {
  readonly entries: readonly LayerEntry[];
  /** Files of the commit that the base has at the same path, by that path without the first slash. */
  readonly same: ReadonlyMap<string, BaseFile>;
}

type CommitNode = Place & { readonly inside?: Map<string, CommitNode> };

/** A directory above anything that is in the layer is in it, too: some runtimes would make it anew with other rights. */
export function differenceOf(places: Iterable<Place>, base: BaseDirectory): Difference {
  const same = new Map<string, BaseFile>();
  const root = treeOf(places);
  const entries = root === undefined ? [] : directoryEntries(root, base, same);
  return { entries, same };
}

function treeOf(places: Iterable<Place>): CommitNode | undefined {
  const directories = new Map<string, CommitNode>();
  for (const place of places) {
    const slash = place.path.lastIndexOf('/');
    const node: CommitNode = place.kind === 'directory' ? { ...place, inside: new Map() } : place;
    if (place.path !== '') {
      const parent = directories.get(slash < 0 ? '' : place.path.slice(0, slash));
      parent?.inside?.set(place.path.slice(slash + 1), node);
    }
    if (place.kind === 'directory') directories.set(place.path, node);
  }
  return directories.get('');
}

function directoryEntries(node: CommitNode, base: BaseNode | undefined, same: Map<string, BaseFile>): LayerEntry[] {
  if (node.kind !== 'directory') throw new Error('unreachable: a file where a directory is');
  const { inside = new Map<string, CommitNode>(), path } = node;
  const below = base?.kind === 'directory' ? base : undefined;
  const entries: LayerEntry[] = whiteouts(path, below, inside);
  for (const [name, child] of inside) {
    const other = below?.entries.get(name);
    if (child.kind === 'directory') {
      for (const entry of directoryEntries(child, other, same)) entries.push(entry);
    } else if (other?.kind === 'file' && other.checksum === child.checksum) {
      same.set(child.path, other);
    } else {
      entries.push(child);
    }
  }
  const isSame = below?.attributes !== undefined && hasAttributes(below.attributes, node.meta);
  return isSame && entries.length === 0 ? [] : [{ kind: 'directory', path, meta: node.meta }, ...entries];
}

/** One for all where nothing stays. */
function whiteouts(
  path: string,
  base: BaseDirectory | undefined,
  inside: ReadonlyMap<string, CommitNode>,
): LayerEntry[] {
  const names = [...(base?.entries.keys() ?? [])];
  const gone = names.filter((name) => !inside.has(name));
  const at = (name: string) => (path === '' ? name : `${path}/${name}`);
  if (path !== '' && gone.length > 1 && gone.length === names.length) {
    return [{ kind: 'whiteout', path: at('.wh..wh..opq') }];
  }
  return gone.sort().map((name) => ({ kind: 'whiteout', path: at(`.wh.${name}`) }));
}

function hasAttributes(found: Omit<DirMeta, 'mode'> & { readonly mode: number }, wanted: DirMeta): boolean {
  return (
    found.mode === (wanted.mode & 0o7777) &&
    found.uid === wanted.uid &&
    found.gid === wanted.gid &&
    sameXattrs(found.xattrs, wanted.xattrs)
  );
}

function sameXattrs(a: Xattrs, b: Xattrs): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], i) => {
      const other = b[i];
      return other !== undefined && Buffer.compare(name, other[0]) === 0 && Buffer.compare(value, other[1]) === 0;
    })
  );
}
