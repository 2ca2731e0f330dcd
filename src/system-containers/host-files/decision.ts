/** What becomes of one path: what is wanted, what is on the disk and what was recorded, held against each other. */
import { callerId } from '../../linux/files/owner.ts';
import type { HostFile } from './image-files.ts';
import type { FileOnDisk, OnDisk } from './on-disk.ts';

/** A file or link of the version that is wanted. */
export interface Wanted {
  readonly file: HostFile;
  readonly sha256: string;
  /** Of a template; else it is in the tree. */
  readonly content: Uint8Array | undefined;
}

/** What an `info` says of a path. */
export interface Recorded {
  /** Undefined in old files that do not tell, `0` for links of the `atomic` command. */
  readonly sha256: string | undefined;
  /** Is it a `PATH.new`? */
  readonly isNew: boolean;
}

export type Decision =
  | { readonly kind: 'create' | 'unchanged' | 'modified' | 'conflict' | 'nothing' | 'directory' }
  | { readonly kind: 'replace' | 'delete'; readonly identity: string }
  /** Something that is no directory lies on the way. */
  | { readonly kind: 'behind'; readonly path: string }
  | { readonly kind: 'leave'; readonly why: Error };

/**
 * Of a path that is wanted. Content decides whether a file was modified; mode and owner of one that was not are set
 * right without a question, as an installation would. One that the administrator has made to what is wanted is fine.
 * @throws ContainerError HOST_PATH_REFUSED
 */
export function decideWanted(wanted: Wanted, disk: OnDisk, recorded: Recorded | undefined): Decision {
  switch (disk.kind) {
    case 'refused':
      throw disk.error;
    case 'absent':
      return { kind: 'create' };
    case 'blocked':
      return { kind: 'behind', path: disk.path };
    case 'directory':
      return { kind: 'directory' };
    case 'other':
      return { kind: recorded === undefined ? 'conflict' : 'modified' };
    default:
      if (recorded === undefined) return { kind: 'conflict' };
      if (isSame(wanted, disk)) return { kind: 'unchanged' };
      if (isOurs(recorded, disk)) return { kind: 'replace', identity: disk.identity };
      return { kind: hasContent(wanted, disk) ? 'unchanged' : 'modified' };
  }
}

/** Of a path that was put there and is not wanted any more. */
export function decideUnwanted(disk: OnDisk, recorded: Recorded, purge: boolean): Decision {
  switch (disk.kind) {
    case 'refused':
      return { kind: 'leave', why: disk.error };
    case 'absent':
    case 'blocked':
      return { kind: 'nothing' };
    case 'directory':
    case 'other':
      return { kind: 'modified' };
    default:
      return isOurs(recorded, disk) || purge ? { kind: 'delete', identity: disk.identity } : { kind: 'modified' };
  }
}

/** As it was put there? */
export function isOurs({ sha256 }: Recorded, disk: FileOnDisk): boolean {
  return disk.sha256 === sha256 || (disk.kind === 'symlink' && sha256 === '0');
}

/** Users other than root cannot give files away: theirs stay their own. */
export function ownerOf({ uid, gid }: { readonly uid: number; readonly gid: number }): { uid: number; gid: number } {
  return callerId() === 0 ? { uid, gid } : { uid: callerId(), gid: process.getegid?.() ?? gid };
}

function hasContent({ file, sha256 }: Wanted, disk: FileOnDisk): boolean {
  return disk.kind === file.kind && disk.sha256 === sha256;
}

function isSame(wanted: Wanted, disk: FileOnDisk): boolean {
  const { uid, gid } = ownerOf(wanted.file);
  const hasMode = disk.kind === 'symlink' || disk.mode === wanted.file.mode; // links have no mode of their own
  return hasContent(wanted, disk) && hasMode && disk.uid === uid && disk.gid === gid;
}
