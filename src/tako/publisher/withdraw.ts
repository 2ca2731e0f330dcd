/** `tako store --remove-image`: withdraw an image. Its entry stays, for a manifest only ever grows. */
import { type LockWait, openDestination } from '../destination/destination.ts';
import { TakoError } from '../error.ts';
import { findVersion, hasVersion, type ManifestEntry, readUnverifiedEntries } from '../manifest/manifest.ts';
import { underLock } from '../update/settle.ts';

export interface Withdrawn {
  readonly entry: ManifestEntry;
  /** False when its file was gone already. */
  readonly removed: boolean;
}

/** @throws TakoError NO_MANIFEST, UNKNOWN_VERSION, SHARED_IMAGE */
export async function withdrawImage(
  path: string,
  version: string,
  dryRun: boolean,
  ports: { readonly wait: LockWait },
  signal: AbortSignal,
): Promise<Withdrawn> {
  const directory = openDestination(path, 'refuse');
  try {
    const find = (): ManifestEntry => {
      const file = directory.readManifest();
      if (file === undefined) throw new TakoError('NO_MANIFEST', `${path}: no manifest here`, { subject: path });
      // The manifest does not change, so no key is needed; the directory belongs to us, as was checked.
      const entries = readUnverifiedEntries(file.bytes);
      const entry = findVersion(entries, version);
      if (entry === undefined) throw new TakoError('UNKNOWN_VERSION', `version ${version} is not published in ${path}`);
      const sharing = entries.filter((other) => other.sha256 === entry.sha256 && !hasVersion(other, version));
      if (sharing.length === 0) return entry;
      const names = sharing.map((other) => other.version.text).join(', ');
      throw new TakoError(
        'SHARED_IMAGE',
        `image ${version} is also published as ${names}: one file, it would be gone for all`,
      );
    };
    if (dryRun) {
      const entry = find();
      return { entry, removed: directory.store?.lstat(entry.sha256) !== undefined };
    }
    return await underLock(directory, ports, signal, async () => {
      const entry = find();
      const removed = directory.store?.unlink(entry.sha256) ?? false;
      directory.store?.sync();
      return { entry, removed };
    });
  } finally {
    directory.close();
  }
}
