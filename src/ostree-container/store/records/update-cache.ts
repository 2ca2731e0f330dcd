/**
 * What is known of a newer image than the one that is stored, for whoever asks without a network. It stands in the
 * detached metadata of the old image's commit, beside signatures; nothing vouches for it.
 */
import { lookup, string, type Vardict, vardict, variantOf, withEntry } from '../../../gvariant/index.ts';
import { isDigest, type RawManifest, rawManifest } from '../../../oci/index.ts';
import {
  type Checksum,
  type ObjectReader,
  objectsOf,
  type Repository,
  type TransactionOptions,
  withTransaction,
} from '../../../ostree/index.ts';
import type { ImageFacts } from './merge-commit.ts';

const DIGEST = 'ostree-ext.cached.manifest-digest';
const MANIFEST = 'ostree-ext.cached.manifest';
const CONFIG = 'ostree-ext.cached.config';
const KEYS: readonly string[] = [DIGEST, MANIFEST, CONFIG];

/** Undefined when none is known, or it is the stored image itself. */
export function cachedUpdate(reader: ObjectReader, commit: Checksum): RawManifest | undefined {
  const metadata = reader.detached(commit);
  const digest = lookup(metadata, DIGEST, string);
  const text = lookup(metadata, MANIFEST, string);
  if (digest === undefined || text === undefined || !isDigest(digest)) return undefined;
  return { ...rawManifest(Buffer.from(text)), digest };
}

/** Remember it, durably. Signatures and whatever else is there stay. */
export async function cacheUpdate(
  repository: Repository,
  commit: Checksum,
  { manifest, config }: ImageFacts,
  options: TransactionOptions,
): Promise<void> {
  const texts = [manifest.digest, textOf(manifest.bytes), textOf(config)];
  await change(repository, commit, options, (before) =>
    KEYS.reduce((all, key, i) => withEntry(all, key, variantOf(string, texts[i] ?? '')), before),
  );
}

/** Forget it. @returns false when there was nothing to forget */
export function clearCachedUpdate(
  repository: Repository,
  commit: Checksum,
  options: TransactionOptions,
): Promise<boolean> {
  return change(repository, commit, options, (before) => before.filter(([key]) => !KEYS.includes(key)));
}

/** No exclusive lock: nobody signs commits of images, and a pull that is under way would have to be waited for. */
async function change(
  repository: Repository,
  commit: Checksum,
  options: TransactionOptions,
  work: (before: Vardict) => Vardict,
): Promise<boolean> {
  const before = objectsOf(repository).detached(commit);
  const after = vardict.encode(work(before));
  if (Buffer.compare(after, vardict.encode(before)) === 0) return false;
  await withTransaction(repository, options, async ({ writer }) => {
    writer.putNamedMetadata('commitmeta', commit, after);
  });
  return true;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
