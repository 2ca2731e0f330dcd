/** What `fetch --init` asks first: is a good image linked already? No network, no lock, nothing written. */
import { matches } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import { openDestination } from '../destination/destination.ts';
import { inspectImage } from '../destination/images.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';
import { currentEntry } from './candidates.ts';

/**
 * The entry that `latest` names, when manifest, link, size and digest all hold and the pattern still allows it.
 * All that is read is replaced whole by those who write it, so no lock is needed.
 */
export async function findInstalled(
  config: Config,
  verify: boolean,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<ManifestEntry | undefined> {
  const destination = openDestination(config.destination, 'refuse');
  try {
    const manifest = readLocalManifest(destination, config.publicKeys, warn);
    if (manifest === undefined) return undefined;
    const entry = currentEntry(manifest.entries, config.pattern, destination.readLatest());
    if (entry === undefined || !matches(config.pattern, entry.version)) return undefined;
    return (await inspectImage(destination.store, entry, verify, signal)) === 'whole' ? entry : undefined;
  } finally {
    destination.close();
  }
}
