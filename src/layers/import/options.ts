/** How a layer is imported, and what came of it. */
import type { ModifierOptions, MutableTree } from '../../ostree/index.ts';
import type { TarEntryType } from '../../tar/index.ts';
import type { LayerTree } from '../layer-tree.ts';
import type { PathRule } from '../path-rule.ts';

export interface ImportOptions {
  readonly paths: PathRule;
  /** Devices and fifos, which no tree holds. */
  readonly specials: 'refuse' | 'skip';
  /**
   * `user`: the owner may read and write every file and search every directory, for repositories that an ordinary
   * user checks out. Default: as in the archive.
   */
  readonly access?: 'user' | undefined;
  /** Beside what the mode of the repository implies. */
  readonly modifiers?: ModifierOptions | undefined;
  /** All layers below, merged; for hard links to files that are only there. */
  readonly lower?: MutableTree | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
}

export interface LayerLimits {
  readonly entries: number;
  /** Components of a path. */
  readonly depth: number;
  /** Of the archive, and likewise of the contents with their holes. */
  readonly bytes: number;
  /** Bytes of names, link targets and extended attributes together: what stays in memory. */
  readonly metadata: number;
}

/** A hundred times what an image of a distribution has. */
export const LAYER_LIMITS: LayerLimits = { entries: 2_000_000, depth: 1024, bytes: 2 ** 38, metadata: 2 ** 28 };

export interface SkippedFile {
  /** As in the archive. */
  readonly path: string;
  readonly type: TarEntryType;
}

export interface ImportedLayer extends LayerTree {
  /** How many entries were left out, by the first component of their path. */
  readonly filtered: ReadonlyMap<string, number>;
  readonly skipped: readonly SkippedFile[];
  /** Bytes of the archive. */
  readonly uncompressedSize: number;
  readonly counts: LayerCounts;
}

export interface LayerCounts {
  /** Of the archive, of all kinds. */
  readonly entries: number;
  /** Those whose content the layer brings. */
  readonly files: number;
  readonly whiteouts: number;
  /** Hard links that lead to a file of the layers below: another base would give another tree. */
  readonly linksBelow: number;
  /** Contents that the repository did not have, and their bytes. */
  readonly newFiles: number;
  readonly newBytes: number;
}
