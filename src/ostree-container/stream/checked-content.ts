/** A stored content on its way into a stream, held against its checksum: what is damaged is not handed on as good. */
import { createHash } from 'node:crypto';
import { type Checksum, encodeFileHeader, OstreeError, type StoredFile, WHOLE_LIMIT } from '../../ostree/index.ts';

type Checked = Pick<StoredFile, 'header' | 'size' | 'bytes' | 'chunks'>;

/**
 * Small ones are checked before the first byte is out, large ones before the last.
 * @throws OstreeError OBJECT_CORRUPT; what reading throws
 */
export function checkedContent(checksum: Checksum, stored: Checked): Uint8Array | AsyncIterable<Uint8Array> {
  if (stored.size > WHOLE_LIMIT) return largeContent(checksum, stored);
  const bytes = stored.header.target === undefined ? stored.bytes() : new Uint8Array();
  const hash = createHash('sha256').update(encodeFileHeader(stored.header)).update(bytes);
  assertChecksum(checksum, hash.digest('hex'));
  return bytes;
}

async function* largeContent(checksum: Checksum, stored: Checked): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256').update(encodeFileHeader(stored.header));
  for await (const chunk of stored.chunks()) {
    hash.update(chunk);
    yield chunk;
  }
  assertChecksum(checksum, hash.digest('hex'));
}

/** @throws OstreeError OBJECT_CORRUPT */
export function assertChecksum(expected: Checksum, found: Checksum): void {
  if (expected === found) return;
  throw new OstreeError('OBJECT_CORRUPT', `file ${expected}: its content gives ${found}`, { subject: expected });
}
