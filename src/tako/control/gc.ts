/** `tako gc`: collect the garbage of one destination, now. */

import type { Config } from '../config/config.ts';
import { type LockWait, openDestination } from '../destination/destination.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { chooseCandidates } from '../update/candidates.ts';
import { findGarbage, removeImages, removeLeftovers, type StoredImage } from '../update/collect.ts';
import { underLock } from '../update/settle.ts';

export interface GcPorts {
  readonly wait: LockWait;
  readonly now: () => number;
  readonly warn: (text: string) => void;
}

export interface Collected {
  readonly images: readonly StoredImage[];
  /** Names of partial downloads and temporary files in `store/`. */
  readonly leftovers: readonly string[];
}

/** @throws TakoError as reading the manifest does; without a manifest there is nothing to judge images by */
export async function collect(
  config: Config,
  dryRun: boolean,
  ports: GcPorts,
  signal: AbortSignal,
): Promise<Collected> {
  const destination = openDestination(config.destination, 'refuse');
  try {
    const find = async (): Promise<{ manifest: Manifest; images: StoredImage[] } | undefined> => {
      const manifest = readLocalManifest(destination, config.publicKeys, ports.warn);
      return manifest && { manifest, images: await findGarbage({ destination, config }, manifest) };
    };
    if (dryRun) return { images: (await find())?.images ?? [], leftovers: [] };
    return await underLock(destination, ports, signal, async () => {
      const found = await find();
      if (found === undefined) return { images: [], leftovers: [] };
      const state = await destination.readState(ports.warn);
      const latest = destination.readLatest();
      const { candidates } = chooseCandidates(found.manifest.entries, config.pattern, latest, state);
      const wanted = new Set(candidates.map((entry) => entry.sha256));
      const leftovers = removeLeftovers(destination, wanted, ports.now());
      removeImages(destination, found.images);
      return { images: found.images, leftovers };
    });
  } finally {
    destination.close();
  }
}
