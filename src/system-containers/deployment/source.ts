/** The tree that a deployment is made from: the merged layers of an image, or a directory of the user's. */
import { codeOf } from '../../base/error.ts';
import type { Checksum, Repository } from '../../ostree/index.ts';
import { readExports } from '../contract/index.ts';
import type { Host } from '../host.ts';
import type { ImageTree } from '../image-tree.ts';
import { imageTree, layerFacts, mergedCommit, readStoredConfig, type StoredImage } from '../storage/index.ts';
import type { Values } from '../template/index.ts';
import { canLinkTo } from './check-out.ts';
import { findContainer } from './container.ts';
import { directoryTree } from './directory-tree.ts';
import { type DeploymentRequest, type DeploymentSource, isStored } from './request.ts';
import { treeOf } from './tree-of.ts';

export interface OpenSource extends DeploymentSource {
  readonly tree: ImageTree;
  /** Undefined for a directory. */
  readonly commit: Checksum | undefined;
}

/**
 * The merged tree is made when it is not there yet, which costs metadata alone.
 * @param repository undefined will do for a directory
 * @throws ContainerError BAD_STORED_IMAGE; OstreeError
 */
export async function openSource(
  host: Host,
  repository: Repository | undefined,
  request: DeploymentRequest,
): Promise<OpenSource> {
  const { image, imageName } = request;
  const previousDefaults = defaultsBefore(host, request);
  if (!isStored(image)) {
    return { tree: directoryTree(image.rootfs, imageName), commit: undefined, previousDefaults };
  }
  if (repository === undefined) throw new Error('unreachable: a stored image without a repository');
  const commit = await mergedCommit(repository, image, { signal: host.signal, timeoutMs: host.lockTimeoutMs });
  return {
    tree: imageTree(repository, commit, imageName),
    commit,
    imageConfig: readStoredConfig(repository, image),
    checkoutBytes: bytesToCopy(host, repository, image),
    previousDefaults,
  };
}

/** At most: what a layer replaces counts, too. */
function bytesToCopy({ places }: Host, repository: Repository, { layers }: StoredImage): number {
  if (canLinkTo(places, repository)) return 0;
  return layers.reduce((sum, digest) => sum + (layerFacts(repository, digest)?.uncompressedSize ?? 0), 0);
}

/** Only old `info` files leave open who gave a value; the deployment itself still has its image's defaults. */
function defaultsBefore({ places }: Host, { name, previous }: DeploymentRequest): Values | undefined {
  if (previous === undefined || previous.setValues !== undefined) return undefined;
  const before = findContainer(places, name)?.slots.find(({ info }) => isSame(info, previous));
  if (before === undefined) return undefined;
  try {
    return readExports(treeOf(before)).manifest.defaultValues;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined; // whatever is wrong with the old one is no reason to refuse a new one
  }
}

function isSame(a: { revision: string; created: number }, b: { revision: string; created: number }): boolean {
  return a.revision === b.revision && a.created === b.created;
}
