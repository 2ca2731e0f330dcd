/** A directory or its attributes from outside, held against its name before it is stored. */
import {
  type Checksum,
  decodeDirMeta,
  decodeDirTree,
  type ObjectWriter,
  OstreeError,
  sha256,
} from '../../../ostree/index.ts';

/** @throws OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED */
export function putTreeObject(
  writer: ObjectWriter,
  type: 'dirtree' | 'dirmeta',
  checksum: Checksum,
  bytes: Uint8Array,
): void {
  const found = sha256(bytes);
  if (found !== checksum) {
    throw new OstreeError('OBJECT_CORRUPT', `${type} ${checksum}: its content gives ${found}`, { subject: checksum });
  }
  if (type === 'dirtree') decodeDirTree(bytes, `dirtree ${checksum}`);
  else decodeDirMeta(bytes, `dirmeta ${checksum}`);
  writer.putNamedMetadata(type, checksum, bytes);
}
