/** The layers of an image in the making, in the order in which they were asked for. */

import type { ImageName } from '../../images/index.ts';
import {
  type Descriptor,
  type Digest,
  type HistoryEntry,
  type ImageReader,
  isForeign,
  type LayerPacking,
  MEDIA,
  packingOf,
  type SpooledLayer,
} from '../../oci/index.ts';

/** Another image, and where it is: a registry that has both may take a layer over without sending it. */
export type OtherImage = Pick<ImageReader, 'readBlob'> & { readonly name?: ImageName | undefined };

export interface PlacedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly history: HistoryEntry;
  /** As its source knows it. */
  readonly content: SpooledLayer | { readonly other: OtherImage; readonly descriptor: Descriptor };
}

const TYPES: Readonly<Record<LayerPacking, string>> = {
  none: MEDIA.ociLayer,
  gzip: MEDIA.ociLayerGzip,
  zstd: MEDIA.ociLayerZstd,
};

export function ownLayer(
  spooled: SpooledLayer,
  history: HistoryEntry,
  annotations: Readonly<Record<string, string>> | undefined,
): PlacedLayer {
  const { digest, size, diffId, packing } = spooled;
  const descriptor = { mediaType: TYPES[packing], digest, size, ...(annotations !== undefined && { annotations }) };
  return { descriptor, diffId, history, content: spooled };
}

/** Docker's name of the type becomes that of the OCI: the manifest is theirs. */
export function otherLayer(
  other: OtherImage,
  descriptor: Descriptor,
  facts: Pick<PlacedLayer, 'diffId' | 'history'>,
): PlacedLayer {
  const { mediaType } = descriptor;
  const packing = isForeign(mediaType) ? undefined : packingOf(mediaType);
  const renamed = packing === undefined ? descriptor : { ...descriptor, mediaType: TYPES[packing] };
  return { ...facts, descriptor: renamed, content: { other, descriptor } };
}

export function readLayer({ content }: PlacedLayer, from: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return 'other' in content ? content.other.readBlob(content.descriptor, from, signal) : content.read(from);
}
