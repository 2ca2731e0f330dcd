/** The way from a path in the archive to its place in the layer's tree. */
import { followLinks } from '../follow-links.ts';
import type { Path, PathRule } from '../path-rule.ts';
import { isReserved, type Whiteout, whiteoutFor, whiteoutOf } from '../whiteout.ts';
import { LayerDirectory, type LayerFile } from './layer-nodes.ts';

/** `filtered`: the rule leaves it out, which is counted under its first component. `ignored`: it means nothing. */
export type Place =
  | { readonly kind: 'at'; readonly path: Path; readonly raw: Path; readonly isWhiteout: boolean }
  | { readonly kind: 'filtered'; readonly first: string }
  | { readonly kind: 'ignored' };

const IGNORED: Place = { kind: 'ignored' };

export class Places {
  readonly #rule: PathRule;
  readonly #root: LayerDirectory;
  /** Symbolic links of this layer by their path in the archive; some may have been replaced since. */
  readonly #links = new Map<string, LayerFile>();

  constructor(rule: PathRule, root: LayerDirectory) {
    this.#rule = rule;
    this.#root = root;
  }

  /** @param path not that of the root. @throws LayerError LAYER_LINK */
  of(path: Path): Place {
    const name = path.at(-1) ?? '';
    const whiteout = whiteoutOf(name);
    if (whiteout.kind === 'ignored' || path.slice(0, -1).some(isReserved)) return IGNORED;
    const raw = this.follow(path);
    const mapped = whiteout.kind === 'none' ? this.#rule.map(raw) : this.#whiteout(raw, whiteout);
    if (mapped !== undefined) return { kind: 'at', path: mapped, raw, isWhiteout: whiteout.kind !== 'none' };
    const [first = ''] = path;
    return { kind: 'filtered', first: whiteout.kind === 'hides' && path.length === 1 ? whiteout.name : first };
  }

  /** The same path with the links among its directories followed, as far as this layer made them. */
  follow(path: Path): Path {
    if (this.#links.size === 0) return path;
    const directory = path.slice(0, -1);
    return [...followLinks(directory, (at) => this.#targetAt(at)), path.at(-1) ?? ''];
  }

  link(raw: Path, file: LayerFile): void {
    this.#links.set(raw.join('/'), file);
  }

  #targetAt(raw: Path): string | undefined {
    const link = this.#links.get(raw.join('/'));
    if (link === undefined) return undefined;
    const mapped = this.#rule.map(raw);
    const node = mapped && this.#root.lookup(mapped);
    return node === undefined || node instanceof LayerDirectory ? undefined : node.target;
  }

  /** A whiteout lies beside what it hides: that of `etc` beside `usr/etc`. */
  #whiteout(raw: Path, whiteout: Whiteout): Path | undefined {
    if (whiteout.kind !== 'hides') return raw.length === 1 ? raw : this.#rule.map(raw);
    const hidden = this.#rule.map([...raw.slice(0, -1), whiteout.name]);
    return hidden && [...hidden.slice(0, -1), whiteoutFor(hidden.at(-1) ?? '')];
  }
}
