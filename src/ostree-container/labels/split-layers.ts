/** Which layers of an image are the OSTree commit's, and which were built on top of it (spec ostree-container 2.4, 2.7). */

import { quote } from '../../base/text.ts';
import {
  assertSameLayers,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageManifest,
  isForeign,
  OciError,
  packingOf,
} from '../../oci/index.ts';
import { LabelError } from './error.ts';
import { LABELS } from './labels.ts';

export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface ImageLayers {
  /** The layer with the commit; undefined for an image of something else, all of whose layers are `derived`. */
  readonly base: Layer | undefined;
  readonly components: readonly Layer[];
  readonly derived: readonly Layer[];
  /** The label `ostree.commit`. */
  readonly commit: string | undefined;
  readonly isBootable: boolean;
}

/**
 * @throws OciError MANIFEST_MALFORMED when there are not as many diff ids as layers, LAYER_UNSUPPORTED; LabelError
 *   FINAL_DIFFID_MISSING, FINAL_DIFFID_UNKNOWN, FINAL_DIFFID_AMBIGUOUS
 */
export function splitLayers(manifest: ImageManifest, config: ImageConfig): ImageLayers {
  assertSameLayers(manifest, config);
  for (const layer of manifest.layers) assertSupported(layer);
  const ids = config.rootfs.diff_ids;
  const all = manifest.layers.flatMap((descriptor, i): Layer[] => {
    const diffId = ids[i];
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
  const labels = new Map(Object.entries(config.config?.Labels ?? {}));
  const commit = labels.get(LABELS.commit);
  const last = lastOfCommit(all, labels.get(LABELS.finalDiffId), commit);
  return {
    base: last < 0 ? undefined : all[0],
    components: all.slice(1, Math.max(last + 1, 1)).filter(() => last >= 0),
    derived: all.slice(last + 1),
    commit: last < 0 ? undefined : commit,
    isBootable: isTrue(labels.get(LABELS.bootable)) || isTrue(labels.get(LABELS.bootc)),
  };
}

/** -1 for none. */
function lastOfCommit(all: readonly Layer[], final: string | undefined, commit: string | undefined): number {
  if (final === undefined) {
    if (commit === undefined) return -1;
    throw new LabelError(
      'FINAL_DIFFID_MISSING',
      `image of commit ${quote(commit)}: has no label ${LABELS.finalDiffId}`,
      {
        hint: 'which of its layers belong to the commit cannot be told',
      },
    );
  }
  const found = all.flatMap(({ diffId }, i) => (diffId === final ? [i] : []));
  const [last] = found;
  if (last === undefined) {
    throw new LabelError(
      'FINAL_DIFFID_UNKNOWN',
      `label ${LABELS.finalDiffId}: the image has no layer ${quote(final)}`,
      {
        subject: final,
      },
    );
  }
  if (found.length > 1) {
    const text = `label ${LABELS.finalDiffId}: the image has the layer ${quote(final)} ${found.length} times`;
    throw new LabelError('FINAL_DIFFID_AMBIGUOUS', text, { subject: final });
  }
  return last;
}

/** Before the first byte is fetched. @throws OciError LAYER_UNSUPPORTED */
function assertSupported({ mediaType, digest }: Descriptor): void {
  if (packingOf(mediaType) !== undefined && !isForeign(mediaType)) return;
  const text = `layer ${digest}: unhandled layer type: ${quote(mediaType, 120)}`;
  throw new OciError('LAYER_UNSUPPORTED', text, { subject: digest });
}

function isTrue(label: string | undefined): boolean {
  return label === 'true' || label === '1';
}
