/** The tree of a layer, and what its commit does not tell: which directories the layer said nothing about. */
import { type MutableTree, openVariant, type Root, string, type Vardict, variantOf } from '../ostree/index.ts';

export interface LayerTree {
  readonly tree: MutableTree;
  /**
   * Directories without an entry of their own, made because something is in them: `usr/lib`, the root is ``. They do
   * not change owner and mode of a directory that is there.
   */
  readonly implied: ReadonlySet<string>;
  /** False: there is surely nothing to take away, and nobody looks. */
  readonly hasWhiteouts: boolean;
}

/** The same as it is in a repository. */
export interface StoredLayer {
  readonly root: Root;
  readonly implied: ReadonlySet<string>;
  /** Default: true. */
  readonly hasWhiteouts?: boolean | undefined;
}

/** In the metadata of a layer commit: a JSON list of paths. Without it every directory counts as described. */
const IMPLIED_KEY = 'tako.implied-directories';

/** For the commit of a layer; nothing when there are none. */
export function impliedMetadata(implied: ReadonlySet<string>): Vardict {
  return implied.size === 0 ? [] : [[IMPLIED_KEY, variantOf(string, JSON.stringify([...implied].sort()))]];
}

/** From the commit of a layer; what is malformed counts for nothing, since anybody may have made the commit. */
export function impliedOf(metadata: Vardict): ReadonlySet<string> {
  const found = metadata.find(([key]) => key === IMPLIED_KEY)?.[1];
  return new Set(found === undefined ? [] : textsOf(openVariant(found, string) ?? ''));
}

function textsOf(text: string): string[] {
  const list = parsed(text);
  return Array.isArray(list) ? list.filter((path) => typeof path === 'string') : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
