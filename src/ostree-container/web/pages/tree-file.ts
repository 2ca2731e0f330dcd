/** A file of a commit as a download. */
import type { StoredFile } from '../../../ostree/index.ts';
import { attachment, type Body } from '../body.ts';

/** Takes over the file. Never shown in place: it may be markup of anybody's. */
export function downloadBody(stored: StoredFile, name: string, checksum: string): Body {
  let isOpen = true;
  return {
    size: stored.size,
    type: 'application/octet-stream',
    etag: `"${checksum}"`,
    modified: undefined,
    caching: 'immutable',
    isSeekable: false, // it is stored compressed
    headers: { 'Content-Disposition': attachment(name) },
    chunks: () => copied(stored),
    close() {
      if (isOpen) stored.close();
      isOpen = false;
    },
  };
}

/** What is read next goes into the same memory, while a slow client still waits for what was read before. */
async function* copied(stored: StoredFile): AsyncGenerator<Uint8Array> {
  for await (const chunk of stored.chunks()) yield Uint8Array.from(chunk);
}
