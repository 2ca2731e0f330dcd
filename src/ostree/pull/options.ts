/** What a pull may be told, and what comes of it. */
import type { Checksum } from '../objects/checksum.ts';
import type { RefPlace } from '../repository/refs.ts';
import type { SignatureReport } from '../signatures/report.ts';
import type { MissingParent } from './commits.ts';
import type { Asked } from './wanted.ts';

/** Static deltas: when there are some, never, or nothing else. */
export type DeltaUse = 'allowed' | 'off' | 'required';

export interface PullOptions {
  /** Nothing: the branches of the remote's configuration, or with `mirror` all refs. */
  readonly asked: readonly Asked[];
  /** Write refs as the remote has them, and its summary when all are pulled. */
  readonly mirror: boolean;
  readonly commitOnly: boolean;
  /** Generations of parents; -1 all. */
  readonly depth: number;
  /** Absolute paths in the trees; none: everything. */
  readonly subpaths: readonly string[];
  readonly deltas: DeltaUse;
  /** Into an archive: do not unpack and hash what is received. */
  readonly trusted: boolean;
  /** Refuse files with a mode outside of 0775. */
  readonly plainModes: boolean;
  /** A ref must not go back in time; or no commit before that of a revision. */
  readonly timestampCheck: boolean;
  readonly notBefore: Checksum | undefined;
  readonly bindings: boolean;
  readonly fsync: boolean | undefined;
  readonly perObjectFsync: boolean;
  /** Repositories on this machine that objects are taken from, when they have them. */
  readonly caches: readonly string[];
}

export const DEFAULTS: PullOptions = {
  asked: [],
  mirror: false,
  commitOnly: false,
  depth: 0,
  subpaths: [],
  deltas: 'allowed',
  trusted: false,
  plainModes: false,
  timestampCheck: false,
  notBefore: undefined,
  bindings: true,
  fsync: undefined,
  perObjectFsync: false,
  caches: [],
};

/** A ref, before and after. */
export interface RefMove {
  readonly place: RefPlace;
  readonly ref: string;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
}

export interface PulledCommit {
  readonly checksum: Checksum;
  /** It was here before, whole. */
  readonly isOld: boolean;
  /** Objects of it may be missing: only metadata or a part of the tree was asked for. */
  readonly isPartial: boolean;
  readonly signatures: readonly SignatureReport[];
  /** Of the static delta that brought it: the commit that it was made from, undefined from nothing. */
  readonly delta: { readonly from: Checksum | undefined } | undefined;
}

export interface PullResult {
  /** All refs that were asked for, also those that stayed where they were. */
  readonly refs: readonly RefMove[];
  /** Newest first in each line; parents included. */
  readonly commits: readonly PulledCommit[];
  readonly summarySignatures: readonly SignatureReport[];
  readonly missingParents: readonly MissingParent[];
  /** Objects received by themselves. */
  readonly metadata: number;
  readonly content: number;
  readonly deltas: { readonly count: number; readonly parts: number };
  /** Of bodies, whatever they brought; for a local pull of what was copied. */
  readonly bytes: number;
  readonly requests: number;
}
