/** Received `.filez` objects: inflated, hashed, and stored as the repository keeps them. */
import { OstreeError } from '../error.ts';
import { type Checksum, sha256Both } from '../objects/checksum.ts';
import { assertPlainMode, decodeArchiveHeader, encodeFileHeader } from '../objects/file-header.ts';
import { inflateWhole } from '../storage/archive.ts';
import { corrupt, type Stored } from '../storage/object-writer.ts';
import { type JobContext, writerOf } from './table.ts';

export interface ArchivedBatch {
  readonly objects: readonly { readonly checksum: Checksum; readonly bytes: Uint8Array }[];
  /** Into an archive the bytes go as they came. */
  readonly keepBytes: boolean;
  /** Do not hash (`--http-trusted`): only into an archive. */
  readonly trusted: boolean;
  /** Refuse files with a mode outside of 0775 (`--bareuseronly-files`). */
  readonly plainModes?: boolean;
}

export interface ArchivedResult {
  readonly stored: readonly Stored[];
}

/** @throws OstreeError OBJECT_MALFORMED, OBJECT_CORRUPT naming the object */
export function storeArchived(
  context: JobContext,
  { objects, keepBytes, trusted, plainModes }: ArchivedBatch,
): ArchivedResult {
  const writer = writerOf(context);
  const stored = objects.map(({ checksum, bytes }): Stored => {
    const what = `file ${checksum}`;
    const { header, size, contentOffset } = decodeArchiveHeader(bytes, what);
    if (plainModes === true) assertPlainMode(header, what);
    if (trusted && keepBytes) return writer.putArchived(checksum, bytes, size);
    const deflated = bytes.subarray(contentOffset);
    if (header.target !== undefined && deflated.length > 0) {
      throw new OstreeError('OBJECT_MALFORMED', `${what}: data behind a symbolic link`);
    }
    const content = inflateWhole(deflated, size, what);
    const start = encodeFileHeader(header);
    const found = sha256Both(start, content);
    if (found !== checksum) throw corrupt('file', checksum, found);
    return keepBytes ? writer.putArchived(checksum, bytes, size) : writer.putHashedFile(checksum, header, content);
  });
  return { stored };
}
