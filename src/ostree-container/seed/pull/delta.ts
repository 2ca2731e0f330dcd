/** A static delta in a layer of an image, applied: the commit out of one that is here. */
import fs from 'node:fs';
import { writeAll } from '../../../linux/files/write.ts';
import {
  applyOffline,
  type Checksum,
  isWhole,
  OstreeError,
  openDeltaPath,
  type Repository,
} from '../../../ostree/index.ts';
import { SeedError } from '../error.ts';
import type { ImageLayerPlace, NamedLayers } from './image-layers.ts';
import { type Entries, repositoryEntry } from './layer-entries.ts';
import type { LayerReader } from './layer-reader.ts';

/** The smallest of those that can be applied here, unless the contents are no larger. */
export function chooseDelta(repository: Repository, { deltas, contents }: NamedLayers): ImageLayerPlace | undefined {
  if (repository.keyFile.boolean('core', 'sign-verify-deltas') === true) return undefined; // deltas of images are not signed
  const usable = [...deltas].filter(([from]) => from !== undefined && isWhole(repository, from));
  const [smallest] = usable.map(([, layer]) => layer).sort((a, b) => a.descriptor.size - b.descriptor.size);
  return smallest !== undefined && smallest.descriptor.size < contents.descriptor.size ? smallest : undefined;
}

/**
 * The commit is whole afterwards; no ref leads to it. Its signatures were judged before, and every object is held
 * against its checksum: the delta needs no signature of its own.
 * @throws OstreeError DELTA_MALFORMED, OBJECT_MISSING, OBJECT_CORRUPT; SeedError SEED_MALFORMED
 */
export async function applyLayer(
  repository: Repository,
  commit: Checksum,
  layer: ImageLayerPlace,
  reader: LayerReader,
  options: Omit<Parameters<typeof applyOffline>[2], 'verifier'>,
): Promise<void> {
  const folder = fs.mkdtempSync(`${repository.root}/tmp/tako-pull-`);
  try {
    await reader.open(layer, (entries) => unpack(entries, folder));
    const file = openDeltaPath(folder);
    try {
      const { to } = file.decode();
      if (to !== commit) throw new OstreeError('DELTA_MALFORMED', `delta: leads to commit ${to}, not ${commit}`);
    } finally {
      file.close();
    }
    await applyOffline(repository, folder, { ...options, verifier: undefined });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** One delta is in a layer. */
async function unpack(entries: Entries, folder: string): Promise<void> {
  let delta: string | undefined;
  for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
    const found = repositoryEntry(entry);
    if (found.kind !== 'delta') continue;
    const [fanout, rest, name = ''] = found.parts;
    delta ??= `${fanout}${rest}`;
    if (delta !== `${fanout}${rest}` || !/^(superblock|[0-9]{1,6})$/.test(name)) {
      throw new SeedError('SEED_MALFORMED', `${entry.path}: expected the files of one delta`, { subject: entry.path });
    }
    const fd = fs.openSync(`${folder}/${name}`, 'wx', 0o600);
    try {
      for await (const chunk of entry.data()) writeAll(fd, chunk);
    } finally {
      fs.closeSync(fd);
    }
  }
}
