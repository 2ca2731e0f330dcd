/** What the content of a commit consists of, as far as layers are concerned: parts that change together. */
import type { Checksum } from '../../ostree/index.ts';

/** What a packer knows of a part of the tree: a package, a folder, a large file. */
export interface Component {
  /** Unique, with version where there is one; for people. */
  readonly identifier: string;
  /** Without version: what a later build finds the same component by. Not empty, no comma. */
  readonly name: string;
  /** Components of one source tend to change together. */
  readonly srcid: string;
  /** Seconds from the oldest change of any component to the latest one of this; 0 when unknown. */
  readonly changeTimeOffset: number;
  /** How often it changes, in comparison with others; `ALWAYS_CHANGING` for with every build. Unsigned, 32 bits. */
  readonly changeFrequency: number;
  /** Sum of its contents in bytes, each counted once. */
  readonly size: number;
}

export const ALWAYS_CHANGING = 0xffffffff;

/** The component of what belongs to no package; it changes with every build. */
export const UNPACKAGED = 'unpackaged';

/** Every content object of a commit in exactly one component. */
export interface ComponentMapping {
  readonly components: readonly Component[];
  /** Checksum of a content object to the identifier of its component. */
  readonly objects: ReadonlyMap<Checksum, string>;
}

/** Names go into an annotation, joined with commas. */
export function isComponentName(name: string): boolean {
  return name !== '' && !name.includes(',');
}

/** By code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
