/** Images in a repository, as the earlier tools stored them: whiteouts as files, no list of implied directories. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { type Digest, rawManifest } from '../../oci/index.ts';
import {
  commitTrees,
  createRepository,
  openRepository,
  type Repository,
  sha256,
  withTransaction,
} from '../../ostree/index.ts';
import type { Places } from '../places/index.ts';
import { findImage, type StoredImage, writeImageBranch } from '../storage/index.ts';

export function testRepository(t: TestContext, places: Places, mode: 'bare' | 'bare-user' = 'bare'): Repository {
  mkdirSync(dirname(places.repository), { recursive: true });
  createRepository(places.repository, { mode });
  const repository = openRepository(places.repository);
  t.after(() => repository.close());
  return repository;
}

/** Path to content; one that ends in a slash is a directory. */
export type Layer = Readonly<Record<string, string | Uint8Array>>;

/**
 * The lowest layer first. There is no configuration. @param name in full
 */
export async function storeImage(
  t: TestContext,
  repository: Repository,
  name: string,
  layers: readonly Layer[],
): Promise<StoredImage> {
  const digests: Digest[] = [];
  for (const layer of layers) {
    const hex = sha256(Buffer.from(`${name} ${digests.length}`));
    const request = { branch: `ociimage/${hex}`, timestamp: 0, modifiers: { canonicalPermissions: true } };
    const trees = [{ kind: 'directory', path: written(t, layer) } as const];
    await commitTrees(repository, { ...request, trees, parent: 'none' }, { ...QUICK, threads: 0 });
    digests.push(`sha256:${hex}`);
  }
  await withTransaction(repository, QUICK, async (transaction) => {
    const manifest = rawManifest(Buffer.from(JSON.stringify(manifestOf(digests))));
    const verification = { level: 'digest', scope: undefined, keys: [] } as const;
    writeImageBranch(transaction, { name, manifest, signatures: [], verification }, 1);
  });
  const image = findImage(repository, name);
  if (image === undefined) throw new Error(`unreachable: ${name} is not found`);
  return image;
}

const QUICK = { signal: new AbortController().signal, fsync: false };

function manifestOf(layers: readonly Digest[]) {
  const size = 1;
  const descriptor = (what: string, digest: Digest) => ({
    mediaType: `application/vnd.oci.image.${what}`,
    digest,
    size,
  });
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('config.v1+json', `sha256:${sha256(Buffer.from(layers.join()))}`),
    layers: layers.map((digest) => descriptor('layer.v1.tar+gzip', digest)),
  };
}

function written(t: TestContext, layer: Layer): string {
  const folder = scratch(t);
  chmodSync(folder, 0o755);
  for (const [path, content] of Object.entries(layer)) {
    mkdirSync(join(folder, path.endsWith('/') ? path : dirname(path)), { recursive: true });
    if (!path.endsWith('/'))
      writeFileSync(join(folder, path), content, { mode: path.includes('bin/') ? 0o755 : 0o644 });
  }
  return folder;
}
