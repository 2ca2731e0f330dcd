/** What a pull would fetch; nothing is written. */

import type { Digest } from '../../../oci/index.ts';
import { type Checksum, isWhole, type Refspec, type Repository, readRef } from '../../../ostree/index.ts';
import { chooseDelta } from './delta.ts';
import { type ImageLayerPlace, labelledCommit, namedLayers, type OpenedSeed } from './image-layers.ts';
import { placed } from './pull.ts';

export interface PullCheck {
  /** What the image says that it holds; undefined: it does not say. */
  readonly commit: Checksum | undefined;
  readonly before: Checksum | undefined;
  readonly isNew: boolean;
  readonly layers: readonly CheckedLayer[];
  /** At most: what is here already is found out by the pull. */
  readonly bytes: number;
}

export interface CheckedLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly isNeeded: boolean;
}

/** From manifest and configuration alone. @throws LabelError COMMIT_LABEL_MISMATCH */
export function checkSeed(repository: Repository, image: OpenedSeed, refspec: Refspec): PullCheck {
  const commit = labelledCommit(image);
  const { place, ref } = placed(refspec);
  const before = readRef(repository, place, ref);
  const needed = commit !== undefined && isWhole(repository, commit) ? [] : neededLayers(repository, image);
  const layers = image.layers.map((layer) => ({
    digest: layer.descriptor.digest,
    size: layer.descriptor.size,
    isNeeded: needed.includes(layer),
  }));
  const bytes = needed.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  return { commit, before, isNew: commit === undefined || commit !== before, layers, bytes };
}

function neededLayers(repository: Repository, image: OpenedSeed): readonly ImageLayerPlace[] {
  const named = namedLayers(image);
  if (named === undefined) return image.layers;
  const delta = chooseDelta(repository, named);
  return delta === undefined ? [named.metadata, named.contents, ...named.base] : [named.metadata, delta];
}
