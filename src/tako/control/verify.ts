/** `tako verify`: hash every stored image against the signed manifest, and fetch what is damaged. */

import { codeOf, explain } from '../../base/error.ts';
import type { Config } from '../config/config.ts';
import { openDestination } from '../destination/destination.ts';
import { inspectImage, missingBytes } from '../destination/images.ts';
import { fetchedBefore, readLocalManifest } from '../destination/local-manifest.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';
import { bring, type Run, type RunPorts } from '../update/advance.ts';
import { currentEntry } from '../update/candidates.ts';
import { listImages } from '../update/collect.ts';
import { underLock } from '../update/settle.ts';

export type Condition = 'whole' | 'damaged' | 'missing' | 'repaired' | 'unlisted';

export interface Verified {
  readonly sha256: string;
  /** Undefined for a file that no version names. */
  readonly entry: ManifestEntry | undefined;
  readonly condition: Condition;
  readonly current: boolean;
  /** Bytes that a repair fetched, or would fetch. */
  readonly bytes: number;
}

export interface VerifyOptions {
  readonly repair: boolean;
  readonly dryRun: boolean;
}

/** @throws as reading the manifest and fetching an image do */
export async function verifyStore(
  config: Config,
  options: VerifyOptions,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<readonly Verified[]> {
  const warn = (text: string): void => ports.progress({ kind: 'warning', text });
  const changes = options.repair && !options.dryRun;
  const destination = openDestination(config.destination, changes ? 'refuse' : warn);
  try {
    const runOptions = { init: false, verifyStored: true, mode: 'fetch' } as const;
    return await verify({ config, options: runOptions, ports, destination, warn }, options, signal);
  } finally {
    destination.close();
  }
}

async function verify(run: Run, options: VerifyOptions, signal: AbortSignal): Promise<readonly Verified[]> {
  if (!options.repair || options.dryRun) return inspect(run, signal);
  return underLock(run.destination, run.ports, signal, async () => {
    const found = await inspect(run, signal);
    const repaired: Verified[] = [];
    for (const image of found) repaired.push(await repair(run, image, signal));
    return repaired;
  });
}

async function inspect({ destination, config, warn }: Run, signal: AbortSignal): Promise<Verified[]> {
  const manifest = fetchedBefore(readLocalManifest(destination, config.publicKeys, warn), destination);
  const latest = destination.readLatest();
  const verified: Verified[] = [];
  for (const { sha256, entry } of listImages(destination.store, manifest.entries)) {
    const found = entry === undefined ? 'unlisted' : await inspectImage(destination.store, entry, true, signal);
    const condition = found === 'absent' ? 'missing' : found;
    const bytes = condition === 'damaged' && entry !== undefined ? missingBytes(undefined, entry) : 0;
    verified.push({ sha256, entry, condition, current: sha256 === latest, bytes });
  }
  if (latest !== undefined && !verified.some((image) => image.current)) {
    const entry = currentEntry(manifest.entries, config.pattern, latest);
    const bytes = entry === undefined ? 0 : missingBytes(destination.store, entry);
    verified.push({ sha256: latest, entry, condition: 'missing', current: true, bytes });
  }
  return verified;
}

async function repair(run: Run, image: Verified, signal: AbortSignal): Promise<Verified> {
  if (image.entry === undefined || (image.condition !== 'damaged' && image.condition !== 'missing')) return image;
  try {
    const bytes = await bring(run, image.entry, signal, 'replace');
    return { ...image, condition: 'repaired', bytes };
  } catch (error) {
    if (signal.aborted || codeOf(error) === undefined) throw error;
    // The others may be had all the same.
    run.warn(`image ${image.entry.version.text} could not be fetched: ${explain(error)}`);
    return image;
  }
}
