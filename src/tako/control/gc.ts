/** `tako gc`: collect the garbage of one destination, now. */

import type { Config } from '../config/config.ts';
import { type LockWait, openDestination } from '../destination/destination.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import { chooseCandidates } from '../update/candidates.ts';
import { findGarbage, findLeftovers, removeImages, removeLeftovers, type StoredImage } from '../update/collect.ts';
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
    const work = async (): Promise<Collected> => {
      const manifest = readLocalManifest(destination, config.publicKeys, ports.warn);
      if (manifest === undefined) return { images: [], leftovers: [] };
      const state = await destination.readState(ports.warn);
      const { candidates } = chooseCandidates(manifest.entries, config.pattern, destination.readLatest(), state);
      const images = await findGarbage({ destination, config }, manifest);
      if (dryRun) return { images, leftovers: findLeftovers(destination.store, candidates, ports.now()) };
      const leftovers = removeLeftovers(destination, candidates, ports.now());
      removeImages(destination, images);
      return { images, leftovers };
    };
    return dryRun ? await work() : await underLock(destination, ports, signal, work);
  } finally {
    destination.close();
  }
}
