/** Which blobs of a layout belong to its images. */
import { codeOf } from '../../base/error.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { parseManifest, type RawManifest } from '../manifest.ts';
import { isManifestType } from '../media-types.ts';
import type { Layout } from './layout.ts';

/**
 * What `index.json` leads to: manifests, members of indexes, configs, layers and subjects. Blobs that are missing do
 * not matter here.
 * @throws OciError MANIFEST_UNSUPPORTED, MANIFEST_MALFORMED, INVALID_DIGEST where nobody can tell what a manifest needs
 */
export function reachableBlobs(layout: Layout): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const pending = [...layout.index().manifests];
  const { subject } = layout.index();
  if (subject !== undefined) pending.push(subject);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next.digest)) continue;
    found.add(next.digest);
    pending.push(...neededBy(layout, next, found));
  }
  return found;
}

/** Manifests to look at; blobs are only noted. */
function neededBy(layout: Layout, descriptor: Descriptor, found: Set<Digest>): readonly Descriptor[] {
  const raw = unlessMissing(layout, descriptor);
  if (raw === undefined) return [];
  const manifest = parseManifest(raw);
  const subject = manifest.subject === undefined ? [] : [manifest.subject];
  if (manifest.kind === 'image') {
    for (const blob of [manifest.config, ...manifest.layers]) found.add(blob.digest);
    return subject;
  }
  const others = manifest.manifests.filter((member) => !isManifestType(member.mediaType));
  for (const blob of others) found.add(blob.digest);
  return [...manifest.manifests.filter((member) => isManifestType(member.mediaType)), ...subject];
}

function unlessMissing(layout: Layout, { digest, size, mediaType }: Descriptor): RawManifest | undefined {
  try {
    return layout.readManifest(digest, size, mediaType);
  } catch (error) {
    if (codeOf(error) === 'BLOB_MISSING') return undefined;
    throw error;
  }
}
