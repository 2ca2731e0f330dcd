/**
 * Layers that are packed or unpacked on the way: their digest and size have to be known before they are sent, so they
 * lie in a file without a name until then. Below `TMPDIR`, else `/var/tmp`, which unlike `/tmp` is not in memory.
 */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import { openNamelessFile, temporaryFolder } from '../../linux/files/nameless-file.ts';
import { writeAll } from '../../linux/files/write.ts';
import { type Digest, type LayerPacking, packLayer } from '../../oci/index.ts';
import type { BlobSource } from '../ports.ts';

export interface Spooled {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly read: BlobSource;
  dispose(): void;
}

const CHUNK = 2 ** 20;

export async function spoolLayer(tar: AsyncIterable<Uint8Array>, packing: LayerPacking): Promise<Spooled> {
  const fd = openNamelessFile();
  try {
    const facts = await packLayer(tar, packing, (chunk) => naming(temporaryFolder(), () => writeAll(fd, chunk)));
    return {
      digest: facts.digest,
      size: facts.size,
      diffId: facts.diffId,
      read: (from) => contents(fd, from, facts.size),
      dispose: () => fs.closeSync(fd),
    };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

async function* contents(fd: number, from: number, size: number): AsyncGenerator<Uint8Array> {
  const room = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size - from, 1)));
  for (let at = from; at < size; ) {
    const count = fs.readSync(fd, room, 0, Math.min(room.length, size - at), at);
    if (count === 0) throw new Error('unreachable: a file of our own has become shorter');
    yield room.subarray(0, count);
    at += count;
  }
}
