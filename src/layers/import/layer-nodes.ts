/** The tree of a layer while its archive is read: files may still be on their way into the repository. */
import { type Attributes, type DirMetas, MutableTree, PLAIN_DIRECTORY } from '../../ostree/index.ts';
import type { Path } from '../path-rule.ts';

/** Hard links share it. */
export interface LayerFile {
  /** Undefined until it is stored. */
  checksum: string | undefined;
  /** Of a symbolic link. */
  readonly target: string | undefined;
}

export type LayerNode = LayerFile | LayerDirectory;

export class LayerDirectory {
  readonly entries = new Map<string, LayerNode>();
  /** Undefined: no entry described it. */
  attributes: Attributes | undefined;

  lookup(path: Path): LayerNode | undefined {
    let at: LayerNode | undefined = this;
    for (const name of path) {
      if (!(at instanceof LayerDirectory)) return undefined;
      at = at.entries.get(name);
    }
    return at;
  }

  /** The directory at a path, made where it is missing or a file is in its place. */
  reach(path: Path): LayerDirectory {
    let at: LayerDirectory = this;
    for (const name of path) {
      const found = at.entries.get(name);
      if (found instanceof LayerDirectory) {
        at = found;
        continue;
      }
      const made = new LayerDirectory();
      at.entries.set(name, made);
      at = made;
    }
    return at;
  }

  /** Once everything is stored. @param implied gets the paths of directories that no entry described */
  toTree(metas: DirMetas, implied: Set<string>, path = ''): MutableTree {
    const tree = MutableTree.empty();
    if (this.attributes === undefined) implied.add(path);
    tree.setMeta(metas.put(this.attributes ?? PLAIN_DIRECTORY));
    for (const [name, node] of this.entries) {
      if (node instanceof LayerDirectory) {
        tree.attach(name, node.toTree(metas, implied, path === '' ? name : `${path}/${name}`));
        continue;
      }
      if (node.checksum === undefined) throw new Error(`unreachable: ${name} is not stored`);
      tree.putFile(name, node.checksum);
    }
    return tree;
  }
}
