/** A packed layer in a file without a name, until its image is sent. */
import fs from 'node:fs';
import { naming } from '../../../linux/calls/system-error.ts';
import { openNamelessFile, readNamelessFile, temporaryFolder } from '../../../linux/files/nameless-file.ts';
import { writeAll } from '../../../linux/files/write.ts';
import { returnLargeBlocks } from '../../../linux/processes/memory.ts';
import { type Descriptor, MEDIA } from '../../../oci/index.ts';
import type { LayerOfOther, OtherImage } from '../../new-image/index.ts';
import { GzipMembers } from './gzip-members.ts';

export interface SpooledLayer extends Omit<LayerOfOther, 'history'> {
  readonly source: OtherImage;
  close(): void;
}

/** @throws SystemError, DISK_FULL; what `write` throws */
export async function spoolLayer(write: (members: GzipMembers) => Promise<void>): Promise<SpooledLayer> {
  returnLargeBlocks(); // contents are read and unpacked in whole buffers
  const folder = temporaryFolder();
  const fd = openNamelessFile(folder);
  const members = new GzipMembers((bytes) => naming(folder, () => writeAll(fd, bytes)));
  try {
    await write(members);
    const { digest, size, diffId } = await members.finish();
    const descriptor: Descriptor = { mediaType: MEDIA.ociLayerGzip, digest, size };
    return {
      descriptor,
      diffId,
      source: { readBlob: (_, from) => readNamelessFile(fd, from, size) },
      close: () => fs.closeSync(fd),
    };
  } catch (error) {
    await members.abandon();
    fs.closeSync(fd);
    throw error;
  }
}
