/** What is changed about files and directories on their way into a commit. */
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../objects/file-header.ts';
import { NO_XATTRS, sameXattrs, type Xattrs } from '../objects/xattrs.ts';
import type { Repository } from '../repository/repository.ts';

export interface ModifierOptions {
  readonly ownerUid?: number | undefined;
  readonly ownerGid?: number | undefined;
  /** Owner 0:0, modes without group write, setuid and the like, no extended attributes. */
  readonly canonicalPermissions?: boolean | undefined;
  readonly noXattrs?: boolean | undefined;
  /** Nobody may write to what somebody may execute. */
  readonly modeRoExecutables?: boolean | undefined;
  readonly statOverrides?: ReadonlyMap<string, StatOverride> | undefined;
  /** Paths such as `/usr/share/doc`; of a directory nothing is taken. */
  readonly skip?: ReadonlySet<string> | undefined;
}

/** `set` puts these permissions in the place of those that are there, `add` adds them. */
export interface StatOverride {
  readonly kind: 'set' | 'add';
  /** Without file type. */
  readonly bits: number;
}

/** Owner, mode with file type, and extended attributes of a file or directory. */
export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: Xattrs;
}

export class Modifiers {
  readonly #options: ModifierOptions;
  readonly #unmatched: Set<string>;
  /** Do extended attributes count at all? Otherwise they need not be read. */
  readonly keepsXattrs: boolean;
  /** Leaves everything as it is. */
  readonly isNone: boolean;

  constructor(options: ModifierOptions = {}) {
    this.#options = options;
    const { statOverrides = new Map<string, StatOverride>(), skip = new Set<string>() } = options;
    this.#unmatched = new Set([...statOverrides.keys(), ...skip]);
    this.keepsXattrs = options.canonicalPermissions !== true && options.noXattrs !== true;
    const { ownerUid, ownerGid, modeRoExecutables } = options;
    this.isNone =
      this.keepsXattrs &&
      ownerUid === undefined &&
      ownerGid === undefined &&
      modeRoExecutables !== true &&
      this.#unmatched.size === 0;
  }

  /** @param path such as `/usr/bin`, the root is `/`. Undefined: it is left out, with everything below. */
  apply(path: string, found: Attributes): Attributes | undefined {
    if (this.isNone) return found;
    const { ownerUid, ownerGid, canonicalPermissions, modeRoExecutables, statOverrides } = this.#options;
    const override = statOverrides?.get(path);
    if (override !== undefined) this.#unmatched.delete(path);
    if (this.skips(path)) return undefined;
    const type = found.mode & S_IFMT;
    if (override !== undefined && type === S_IFLNK) throw linkOverride(path);
    let mode = found.mode;
    // In the order of libostree: what is listed may make an executable writable again.
    if (modeRoExecutables === true && type === S_IFREG && (mode & 0o111) !== 0) mode &= ~0o222;
    mode = overridden(mode, override);
    if (canonicalPermissions === true && type !== S_IFLNK) mode = type | (mode & 0o755);
    const owner = canonicalPermissions === true ? 0 : undefined;
    return {
      uid: owner ?? ownerUid ?? found.uid,
      gid: owner ?? ownerGid ?? found.gid,
      mode,
      xattrs: this.keepsXattrs ? found.xattrs : NO_XATTRS,
    };
  }

  /** Is this left out? */
  skips(path: string): boolean {
    if (this.#options.skip?.has(path) !== true) return false;
    this.#unmatched.delete(path);
    return true;
  }

  /** @throws OstreeError PATH_MISSING when there was nothing under a path that was to be changed or left out */
  assertAllMatched(): void {
    const [first] = this.#unmatched;
    if (first === undefined) return;
    const others = this.#unmatched.size === 1 ? '' : `, and ${this.#unmatched.size - 1} more`;
    throw new OstreeError(
      'PATH_MISSING',
      `${printable(first)}: listed to be changed or skipped, but not there${others}`,
      {
        subject: first,
      },
    );
  }
}

/** Linux cannot keep it, and in a bare repository the object would not be what its name says. */
function linkOverride(path: string): OstreeError {
  return new OstreeError('FILE_TYPE', `${printable(path)}: the mode of a symbolic link cannot be changed`, {
    subject: path,
  });
}

function overridden(mode: number, override: StatOverride | undefined): number {
  if (override === undefined) return mode;
  return override.kind === 'set' ? (mode & S_IFMT) | override.bits : mode | override.bits;
}

/** What the mode and the configuration of a repository imply. */
export function modifiersFor(repository: Repository, options: ModifierOptions): Modifiers {
  return new Modifiers({
    ...options,
    canonicalPermissions: options.canonicalPermissions === true || repository.mode === 'bare-user-only',
    noXattrs: options.noXattrs === true || repository.config.disableXattrs,
  });
}

/** Directories that nothing describes: of root, searchable by all. */
export const PLAIN_DIRECTORY: Attributes = { uid: 0, gid: 0, mode: S_IFDIR | 0o755, xattrs: NO_XATTRS };

export function sameAttributes(a: Attributes, b: Attributes): boolean {
  return a === b || (a.uid === b.uid && a.gid === b.gid && a.mode === b.mode && sameXattrs(a.xattrs, b.xattrs));
}
