/**
 * A layer onto the tree of all below it (OCI image specification, layer.md): whiteouts take away what the layers below
 * brought, never what this layer brings, whatever their order in the archive; then its entries are added.
 */
import { assertDepth, MutableTree, type ObjectReader } from '../../ostree/index.ts';
import { followInTree, linkTarget } from '../follow-links.ts';
import type { LayerTree } from '../layer-tree.ts';
import { type Path, type PathRule, SAME_PATHS, unmapped } from '../path-rule.ts';
import { isReserved, whiteoutOf } from '../whiteout.ts';
import { hideContents, hideName } from './hide.ts';

export interface ApplyOptions {
  /** Finds the objects of both trees. */
  readonly reader: ObjectReader;
  /** By which the layer was imported. Default: everything stays where it is. */
  readonly paths?: PathRule | undefined;
}

/**
 * Changes `lower`; the layer's tree is used up.
 * @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, TOO_LARGE; LayerError LAYER_LINK
 */
export function applyLayer(lower: MutableTree, layer: LayerTree, options: ApplyOptions): void {
  const { tree, implied, hasWhiteouts } = layer;
  const { reader, paths = SAME_PATHS } = options;
  const application = new Application(lower, { implied, hasWhiteouts, reader, rule: paths });
  if (hasWhiteouts) application.hide(lower, tree, [], []);
  application.add(lower, tree, [], []);
}

interface Means {
  readonly implied: ReadonlySet<string>;
  readonly hasWhiteouts: boolean;
  readonly reader: ObjectReader;
  readonly rule: PathRule;
}

/** In both passes `at` is where a directory is in the layer, and `into` in the tree: another place behind a link. */
class Application {
  readonly #root: MutableTree;
  readonly #means: Means;

  constructor(root: MutableTree, means: Means) {
    this.#root = root;
    this.#means = means;
  }

  /** First what is taken away, everywhere: what the layer brings may come to lie behind a link of its own. */
  hide(lower: MutableTree, layer: MutableTree, at: Path, into: Path): void {
    assertDepth(at.length);
    const entries = [...layer.entries()];
    for (const [name] of entries) this.#hide(lower, name, into);
    for (const [name, entry] of entries) {
      if (!(entry instanceof MutableTree) || isReserved(name)) continue;
      const found = this.#existing(lower, name, [...at, name], [...into, name]);
      if (found?.tree !== undefined) this.hide(found.tree, entry, [...at, name], found.path);
    }
  }

  #hide(lower: MutableTree, name: string, into: Path): void {
    const whiteout = whiteoutOf(name);
    const { moves } = this.#means.rule;
    if (whiteout.kind === 'opaque') hideContents(lower, into, moves);
    else if (whiteout.kind === 'hides') hideName(lower, whiteout.name, into, moves);
  }

  add(lower: MutableTree, layer: MutableTree, at: Path, into: Path): void {
    assertDepth(at.length);
    if (layer.meta !== undefined && (lower.meta === undefined || !this.#isImplied(at))) lower.setMeta(layer.meta);
    for (const [name, entry] of [...layer.entries()]) {
      if (isReserved(name)) continue;
      if (entry instanceof MutableTree) this.#addDirectory(lower, name, entry, [...at, name], [...into, name]);
      else lower.putFile(name, entry, 'replace');
    }
  }

  #addDirectory(lower: MutableTree, name: string, entry: MutableTree, at: Path, into: Path): void {
    const found = this.#existing(lower, name, at, into);
    if (found?.tree !== undefined) {
      this.add(found.tree, entry, at, found.path);
      return;
    }
    if (this.#means.hasWhiteouts) this.#removeWhiteouts(entry, at);
    if (this.#isVoid(entry, at)) return;
    const made = found && this.#make(found.path, entry);
    if (found !== undefined && made !== undefined) this.add(made, entry, at, found.path);
    else lower.attach(name, entry);
  }

  /**
   * The directory of the tree that one of the layer belongs to, and its path: where nothing is yet, the path alone.
   * A path that the layer did not describe and that leads through a link of a lower layer (`lib/x`, where `lib` is
   * `usr/lib`) goes where the link leads.
   */
  #existing(lower: MutableTree, name: string, at: Path, into: Path): { tree?: MutableTree; path: Path } | undefined {
    const existing = lower.child(name);
    if (existing instanceof MutableTree) return { tree: existing, path: into };
    if (existing === undefined || !this.#isImplied(at)) return undefined;
    const { reader, rule } = this.#means;
    if (linkTarget(reader, existing) === undefined) return undefined;
    const path = rule.map(followInTree(unmapped(rule, into), this.#root, reader, rule));
    const tree = path && this.#root.directory(path);
    return path && (tree === undefined ? { path } : { tree, path });
  }

  /** The directory that a link promised; undefined when a file is in its way. */
  #make(path: Path, { meta }: MutableTree): MutableTree | undefined {
    let tree = this.#root;
    for (const name of path) {
      if (typeof tree.child(name) === 'string') return undefined;
      tree = tree.ensureDirectory(name);
      if (tree.meta === undefined && meta !== undefined) tree.setMeta(meta);
    }
    return tree;
  }

  /** Of a directory that is new to the tree: there is nothing to hide. */
  #removeWhiteouts(tree: MutableTree, at: Path): void {
    assertDepth(at.length);
    for (const [name, entry] of [...tree.entries()]) {
      if (isReserved(name)) tree.remove(name);
      else if (entry instanceof MutableTree) {
        this.#removeWhiteouts(entry, [...at, name]);
        if (this.#isVoid(entry, [...at, name])) tree.remove(name);
      }
    }
  }

  /** Only whiteouts were in it, and it was made for them alone. */
  #isVoid(tree: MutableTree, at: Path): boolean {
    return this.#means.hasWhiteouts && this.#isImplied(at) && tree.isEmpty;
  }

  #isImplied(at: Path): boolean {
    return this.#means.implied.size > 0 && this.#means.implied.has(at.join('/'));
  }
}
