/** A layer that has to be measured before it can be sent: packed, in a file without a name. */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import { openNamelessFile, readNamelessFile, temporaryFolder } from '../../linux/files/nameless-file.ts';
import { writeAll } from '../../linux/files/write.ts';
import type { LayerPacking } from '../media-types.ts';
import { type PackedLayer, packLayer } from './pack-layer.ts';

export interface SpooledLayer extends PackedLayer {
  readonly packing: LayerPacking;
  read(from: number): AsyncIterable<Uint8Array>;
  close(): void;
}

export interface SpoolOptions {
  readonly packing: LayerPacking;
  /** As of `packLayer`. */
  readonly level?: number | undefined;
  /** Where the file is; undefined: `TMPDIR`, else `/var/tmp`, which unlike `/tmp` is not in memory. */
  readonly folder?: string | undefined;
}

/** @throws SystemError, DISK_FULL; what the tar throws */
export async function spoolLayer(
  tar: AsyncIterable<Uint8Array>,
  { packing, level, folder = temporaryFolder() }: SpoolOptions,
): Promise<SpooledLayer> {
  const fd = openNamelessFile(folder);
  try {
    const facts = await packLayer(tar, packing, (chunk) => naming(folder, () => writeAll(fd, chunk)), { level });
    return { ...facts, packing, read: (from) => readNamelessFile(fd, from, facts.size), close: () => fs.closeSync(fd) };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
