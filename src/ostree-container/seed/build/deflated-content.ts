/** The content of a `.filez` as it lies there, in raw deflate. */
import fs from 'node:fs';
import { type Checksum, decodeArchiveHeader, type ObjectReader, OstreeError } from '../../../ostree/index.ts';

/** More than any header takes: its attributes are at most 1 MiB. */
const START = 2 * 2 ** 20;

/** @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED */
export async function* deflatedContent(reader: ObjectReader, checksum: Checksum): AsyncGenerator<Uint8Array> {
  const found = reader.find(checksum, 'file');
  if (found === undefined || found.mode !== 'archive') {
    throw new OstreeError('OBJECT_MISSING', `file ${checksum}: not in an archive`, { subject: checksum });
  }
  const fd = fs.openSync(found.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const room = Buffer.allocUnsafe(Math.min(START, found.stats.size));
    let count = fs.readSync(fd, room, 0, room.length, 0);
    yield room.subarray(decodeArchiveHeader(room.subarray(0, count), `file ${checksum}`).contentOffset, count);
    for (let at = count; at < found.stats.size; at += count) {
      count = fs.readSync(fd, room, 0, room.length, at);
      if (count === 0) return; // shorter than it was: what it unpacks to was checked, and is no longer there
      yield room.subarray(0, count);
    }
  } finally {
    fs.closeSync(fd);
  }
}
