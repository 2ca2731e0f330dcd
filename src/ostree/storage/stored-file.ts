/** A content object as it is read from any kind of repository. */
import type { FileHeader } from '../objects/file-header.ts';

export interface StoredFile {
  readonly header: FileHeader;
  /** Of the content; 0 for a symbolic link. */
  readonly size: number;
  /** Bytes of the object's own file. */
  readonly storedSize: number;
  /** The whole content: for small ones. @throws OstreeError OBJECT_MALFORMED, TOO_LARGE above `WHOLE_LIMIT` */
  bytes(): Uint8Array;
  /** The content piece by piece; a piece is valid until the next one is asked for. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Its descriptor when the content lies in it as it is (for reflinks and copies), else undefined. */
  readonly plainFd: number | undefined;
  close(): void;
}

/** What is handled in one buffer; larger contents are streamed. */
export const WHOLE_LIMIT = 4 * 2 ** 20;
export const CHUNK = 2 ** 20;
