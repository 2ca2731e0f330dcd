/** How one repository mode keeps content objects. */

import type { FileHeader } from '../objects/file-header.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { archive } from './archive.ts';
import { bare } from './bare.ts';
import { bareSplitXattrs } from './bare-split-xattrs.ts';
import { bareUser } from './bare-user.ts';
import { bareUserOnly } from './bare-user-only.ts';
import type { StoredFile } from './stored-file.ts';

export interface FileFormat {
  readonly extension: 'file' | 'filez';
  /** @param what names the object in errors. @throws SystemError ENOENT; OstreeError OBJECT_MALFORMED */
  open(path: string, what: string): StoredFile;
  /**
   * A new object under a temporary name. Its attributes are set by `finish`, when the caller knows its checksum: never
   * a setuid file with unverified content. @throws OstreeError OBJECT_UNSUITABLE, REPOSITORY_MODE
   */
  begin(path: string, header: FileHeader, size: number, zlibLevel: number): FileWriter;
}

/**
 * What happens to the pages of a finished file: nothing yet; they begin to go to the disk, so that the barrier at the
 * end has less to wait for; or they are flushed before anything else.
 */
export type Flush = 'later' | 'begin' | 'now';

export interface FileWriter {
  write(chunk: Uint8Array): void;
  /** @returns bytes of the object's own file */
  finish(flush: Flush): number;
  /** What lies under the temporary name is the caller's to remove. */
  abort(): void;
}

const FORMATS: Readonly<Record<RepositoryMode, FileFormat>> = {
  archive,
  bare,
  'bare-user': bareUser,
  'bare-user-only': bareUserOnly,
  'bare-split-xattrs': bareSplitXattrs,
};

export function formatOf(mode: RepositoryMode): FileFormat {
  return FORMATS[mode];
}
