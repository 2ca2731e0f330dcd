/** What is going to happen to files of the host, as data: for the two steps, for `--dry-run` and for `info`. */
import type { ContainerManifest } from '../contract/index.ts';
import type { Info } from '../deployment/index.ts';
import type { ImageTree } from '../image-tree.ts';
import type { Places } from '../places/index.ts';
import type { Recorded } from './decision.ts';
import type { HostFile } from './image-files.ts';

/** What a deployment has put on the host; paths without the prefix of `--root`. */
export type HostRecord = Pick<
  Info,
  'installedFiles' | 'checksums' | 'installedDirectories' | 'modifiedFiles' | 'newFiles'
>;

/** What goes into the new `info`, before the first file is touched. */
export type InstalledFiles = HostRecord & Pick<Info, 'installedTemplates' | 'renamedFiles'>;

export interface HostFilesRequest {
  readonly places: Places;
  /** The version that is wanted; undefined: none, everything recorded is taken away. */
  readonly tree: ImageTree | undefined;
  readonly manifest: Pick<ContainerManifest, 'renameFiles' | 'installedFilesTemplate'>;
  readonly values: ReadonlyMap<string, string>;
  /** What the version that is left has put on the host; undefined: there is none. */
  readonly previous: HostRecord | undefined;
  /**
   * The record of the version that is wanted, when it is known already: its `info`, when a switch to it was begun and
   * broken off (redo), or when it is what one returns to (undo). What it names is ours, not in our way.
   */
  readonly begun?: HostRecord | undefined;
  /** For an undo: `gone` of the plan that is undone (of the first one, when it was begun several times). */
  readonly gone?: readonly string[] | undefined;
  /** The same of `before`. Without it an undo is right, but for what an administrator did that no image knows. */
  readonly before?: Before | undefined;
  /** Delete modified files as well. They cannot be brought back: nothing may be left to go wrong. */
  readonly purge?: boolean | undefined;
}

/** What an administrator had done to recorded files, and no image knows: JSON for the journal; makes an undo exact. */
export interface Before {
  /** Changed to the very content that the new version has. */
  readonly edited: readonly string[];
  /** Mode and owner of what is ours, of directories those that are removed. */
  readonly owners: Readonly<Record<string, readonly [mode: number, uid: number, gid: number]>>;
}

export interface HostPlan {
  readonly places: Places;
  readonly installed: InstalledFiles;
  /** In the order in which they happen: those of the removal, then those of the copying. */
  readonly steps: readonly HostStep[];
  /** `File P already exists`: not ours, left alone and not recorded. */
  readonly conflicts: readonly string[];
  /** The lines that the two steps are going to log, warnings included, as far as nothing changes in between. */
  readonly lines: readonly string[];
  /** Recorded files that the administrator has changed, and that stay. */
  readonly kept: readonly string[];
  /** Recorded files that the administrator has removed. For an undo, which does not bring them back. */
  readonly gone: readonly string[];
  readonly before: Before;
  /** To be written. */
  readonly bytes: number;
}

export type HostStep = RemovalStep | CopyStep;

/** `identity` is of the file that the plan was made for: another one is not touched. */
export type RemovalStep =
  | { readonly half: 'removal'; readonly action: 'remove-leftover'; readonly path: string }
  | {
      readonly half: 'removal';
      readonly action: 'delete';
      readonly path: string;
      readonly identity: string;
      readonly record: Recorded;
    }
  /** The new version has it as well: nothing happens now, and yet it is said. */
  | { readonly half: 'removal'; readonly action: 'hand-over'; readonly path: string }
  | { readonly half: 'removal'; readonly action: 'keep-modified'; readonly path: string; readonly record: Recorded }
  /** Nobody can get there safely; `why` is the reason. */
  | {
      readonly half: 'removal';
      readonly action: 'leave';
      readonly path: string;
      readonly why: string;
      /** Undefined: the path is none. */
      readonly record: Recorded | undefined;
    }
  | { readonly half: 'removal'; readonly action: 'remove-directory'; readonly path: string };

export type CopyStep =
  | {
      readonly half: 'copy';
      readonly action: 'make-directory';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | (Copied & { readonly action: 'unchanged' })
  | PutStep
  | { readonly half: 'copy'; readonly action: 'conflict'; readonly path: string }
  /** In an undo: nobody can get there safely to see what is to be done. */
  | { readonly half: 'copy'; readonly action: 'refused'; readonly path: string; readonly error: Error };

/** Something new comes to a path. */
export type PutStep =
  | (Copied & { readonly action: 'create' })
  | (Copied & { readonly action: 'replace'; readonly identity: string });

interface Copied {
  readonly half: 'copy';
  readonly path: string;
  readonly file: HostFile;
  /** Lower-case hex, of the content or of a link's text. */
  readonly sha256: string;
  /** Of a template, with its values; else it is in the tree. */
  readonly content: Uint8Array | undefined;
}
