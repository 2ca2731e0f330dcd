/** `info`: what a deployment was made from and what it put on the host (spec system-containers 8). Read tolerantly. */
import type { Json } from '../../base/json.ts';
import type { Verification } from '../verification.ts';

/** Keys of the file are in brackets where they have another name; [+] are ours. */
export interface Info {
  /** As the user wrote it [image]. */
  readonly image: string;
  /** Digest of the image, hex alone [revision]; '' for a root file system of the user's. */
  readonly revision: string;
  /** Commit of the image branch [ostree-commit]. */
  readonly imageCommit: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Path of the runtime; '' when unknown. */
  readonly runtime: string;
  /** [has-container-service], default true. */
  readonly hasService: boolean;
  /** Path of an external root file system [remote]; undefined: `rootfs` is here. */
  readonly rootfs: string | undefined;
  /** Host paths, without the prefix of `--root` [installed-files]. */
  readonly installedFiles: readonly string[];
  /** [installed-files-template] */
  readonly installedTemplates: readonly string[];
  /** Host path to the sha256 in hex of what was put there; of the target's text for links [installed-files-checksum]. */
  readonly checksums: ReadonlyMap<string, string>;
  /** After substitution [rename-installed-files]. */
  readonly renamedFiles: ReadonlyMap<string, string>;
  /** All template values. */
  readonly values: ReadonlyMap<string, string>;
  /** What the user gave with `--set`, in all calls [set-values, +]; undefined in old files. */
  readonly setValues: ReadonlyMap<string, string> | undefined;
  /** Directories made on the host, to be removed when empty [installed-directories, +]. */
  readonly installedDirectories: readonly string[];
  /** Files of `installedFiles` that the administrator has changed, and that are left alone [modified-files, +]. */
  readonly modifiedFiles: readonly string[];
  /** `PATH.new` beside a changed file, to its sha256 [new-files, +]. */
  readonly newFiles: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch of its last activation [activated, +]; undefined: use `created`. */
  readonly activated: number | undefined;
  /** `--allow-host` of all calls [permissions, +]. */
  readonly permissions: readonly string[];
  /** How the image was verified when it was pulled [verification, +]. */
  readonly verification: Verification | undefined;
  /** Bound of `--tag-version` [tag-version, +]. */
  readonly tagVersion: TagVersion | undefined;
  /**
   * Of an image that was taken back, by hand or because it did not run: `update --all` waits for another one
   * [skipped-revision, +].
   */
  readonly skippedRevision: string | undefined;
  /** Keys that we do not know: they survive a rewrite. */
  readonly unknown: Readonly<Record<string, Json>>;
}

export interface TagVersion {
  readonly pattern: string;
  readonly preReleases: boolean;
}
