/** Where the entries of a container image lie in an OSTree tree (spec ostree-container 2.7). */

/** The components of a path, from the root of the image or of the tree. */
export type Path = readonly string[];

/** A directory that lies elsewhere in the tree than in the image. */
export interface Move {
  readonly from: Path;
  readonly to: Path;
}

export interface PathRule {
  /** Where this path of the image is in the tree; undefined: it is left out. The root is never asked about. */
  map(path: Path): Path | undefined;
  /** Hiding a directory of the image does not hide what was moved into it: `usr` is not above `etc`. */
  readonly moves: readonly Move[];
  /** Is `sysroot/ostree/repo` the store of the image's own objects, and no content? */
  readonly hasObjects: boolean;
}

/** Everything stays where it is, as in the layers of system containers. */
export const SAME_PATHS: PathRule = { map: (path) => path, moves: [], hasObjects: false };

export interface OstreePathOptions {
  /** Nothing but what is below API directories is left out: the root is transient, or there is no OSTree base. */
  readonly keepAll: boolean;
  /** For consumers with libostree before 2024.3, which do not populate `/var`. Default: `var` stays. */
  readonly varTo?: 'var' | 'usr/share/factory/var' | undefined;
  /** Has the image a base in the format of spec 2.1? Default: true. */
  readonly hasObjects?: boolean | undefined;
}

/** Directories that the kernel and the booted system fill. */
const API: ReadonlySet<string> = new Set(['run', 'tmp', 'proc', 'sys', 'dev']);

/** The rules for derived layers of format v1. */
export function ostreePaths({ keepAll, varTo = 'var', hasObjects = true }: OstreePathOptions): PathRule {
  const moves: Move[] = [{ from: ['etc'], to: ['usr', 'etc'] }];
  if (varTo !== 'var') moves.push({ from: ['var'], to: varTo.split('/') });
  const map = (path: Path): Path | undefined => {
    const [first = ''] = path;
    if (API.has(first)) return path.length === 1 ? path : undefined;
    const move = moves.find(({ from }) => from[0] === first);
    if (move !== undefined) return [...move.to, ...path.slice(1)];
    return keepAll || first === 'usr' || first === 'var' ? path : undefined;
  };
  return { map, moves, hasObjects };
}

/** Where a path of the tree is in the image: the reverse of `map`. */
export function unmapped({ moves }: PathRule, path: Path): Path {
  const move = moves.find(({ to }) => isBelow(path, to));
  return move === undefined ? path : [...move.from, ...path.slice(move.to.length)];
}

/** At that directory, or below it. */
export function isBelow(path: Path, directory: Path): boolean {
  return path.length >= directory.length && directory.every((name, i) => path[i] === name);
}
