/**
 * An image in the making: layers one after the other, then configuration and manifest, then all of it to any
 * destination. Equal calls make equal images: no clock is asked.
 */

import { fromWriter } from '../../base/from-writer.ts';
import type { Progress } from '../../base/progress.ts';
import { copyImage, type ImageDestination, type ImageName, type Images } from '../../images/index.ts';
import { collectBuffers } from '../../linux/processes/collect-buffers.ts';
import { returnLargeBlocks } from '../../linux/processes/memory.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  encodeConfig,
  encodeManifest,
  type HistoryEntry,
  hostPlatform,
  type ImageConfig,
  MEDIA,
  type RawManifest,
  rawManifest,
  spoolLayer,
} from '../../oci/index.ts';
import type { Sink } from '../stream/index.ts';
import { type OtherImage, otherLayer, ownLayer, type PlacedLayer } from './image-layers.ts';
import { borrowing, type FinishedImage, sourceOf } from './image-source.ts';

export interface NewLayer {
  /** Of the entry in the history. */
  readonly createdBy: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** A larger layer, sooner. */
  readonly fast?: boolean | undefined;
}

export interface LayerOfOther {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly history?: HistoryEntry | undefined;
}

/** `rootfs`, `history` and `created` come from the layers and from how the image was opened. */
export type NewImageConfig = Pick<ImageConfig, 'architecture' | 'os' | 'variant' | 'config' | 'author'>;

export interface NewImageParts {
  readonly config: NewImageConfig;
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** One entry of the history for each layer, whose order is that of the calls. */
export interface NewImage {
  /**
   * An uncompressed tar; memory stays flat. Several may be made at once.
   * @throws what `write` throws; SystemError, DISK_FULL
   */
  addLayer(
    write: (sink: Sink) => Promise<void>,
    about: NewLayer,
  ): Promise<{ readonly descriptor: Descriptor; readonly diffId: Digest }>;
  /** A layer of another image, as it is. Its blob is asked for at the end, when the destination does not have it. */
  addLayerOf(source: OtherImage, layer: LayerOfOther): void;
  /**
   * All of it to the destination, where it is visible last of all.
   * @returns the manifest as it is there: a place that keeps layers without compression has its own
   * @throws ImagesError, OciError, RegistryError, SystemError
   */
  finish(parts: NewImageParts): Promise<RawManifest>;
  /** Of an image that was not finished nothing is left. */
  close(): Promise<void>;
}

export interface NewImageOptions {
  readonly images: Pick<Images, 'destination'>;
  readonly destination: ImageName;
  /** Of the image and of every layer: RFC 3339 in UTC, `2020-01-02T03:04:05Z`. */
  readonly created: string;
  /** Where packed layers wait; undefined: `TMPDIR`, else `/var/tmp`. */
  readonly tmp?: string | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
}

/** Of zlib: of its default (6) it takes half of the time, and the layers are 3 % larger. */
export const PACKING_LEVEL = 4;
/** A quarter less time again, for 5 % more. */
const FAST_LEVEL = 1;

/** @throws ImagesError TRANSPORT_READ_ONLY, BAD_IMAGE_NAME; OciError BAD_REFERENCE; what else a destination throws */
export async function openNewImage(options: NewImageOptions): Promise<NewImage> {
  returnLargeBlocks();
  const destination = await options.images.destination(options.destination, options.signal);
  return new SpooledImage(destination, options);
}

class SpooledImage implements NewImage {
  readonly #destination: ImageDestination;
  readonly #options: NewImageOptions;
  readonly #layers: (PlacedLayer | undefined)[] = [];

  constructor(destination: ImageDestination, options: NewImageOptions) {
    this.#destination = destination;
    this.#options = options;
  }

  async addLayer(write: (sink: Sink) => Promise<void>, about: NewLayer) {
    const { created, signal, tmp } = this.#options;
    const { createdBy, annotations, fast = false } = about;
    const place = this.#layers.push(undefined) - 1;
    signal.throwIfAborted();
    const level = fast ? FAST_LEVEL : PACKING_LEVEL;
    const spooled = await spoolLayer(
      fromWriter((sink) => write(collecting(sink))),
      {
        packing: 'gzip',
        level,
        folder: tmp,
      },
    );
    const layer = ownLayer(spooled, { created, created_by: createdBy }, annotations);
    this.#layers[place] = layer;
    return { descriptor: layer.descriptor, diffId: layer.diffId };
  }

  addLayerOf(source: OtherImage, { descriptor, diffId, history }: LayerOfOther): void {
    const entry = history ?? { created: this.#options.created };
    this.#layers.push(otherLayer(source, descriptor, { diffId, history: entry }));
  }

  async finish(parts: NewImageParts): Promise<RawManifest> {
    const { onProgress, signal } = this.#options;
    const image = finished(parts, this.#placed(), this.#options.created);
    const { manifest } = await copyImage(
      sourceOf(image, this.#destination.name),
      borrowing(this.#destination, image.layers),
      {
        all: false,
        platform: hostPlatform(),
        preserveDigests: this.#destination.layers === 'exact',
        removeSignatures: false,
        admit: () => Promise.resolve(), // made here
        onProgress,
        signal,
      },
    );
    return manifest;
  }

  async close(): Promise<void> {
    for (const layer of this.#layers.splice(0)) {
      if (layer !== undefined && !('other' in layer.content)) layer.content.close();
    }
    await this.#destination.close();
  }

  #placed(): readonly PlacedLayer[] {
    return this.#layers.map((layer) => {
      if (layer === undefined) throw new Error('unreachable: a layer that was not finished');
      return layer;
    });
  }
}

/** Contents are read and unpacked in whole buffers. */
function collecting(sink: Sink): Sink {
  return async (chunk) => {
    await sink(chunk);
    collectBuffers();
  };
}

function finished(
  { config, annotations }: NewImageParts,
  layers: readonly PlacedLayer[],
  created: string,
): FinishedImage {
  const bytes = encodeConfig({
    ...config,
    created,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ history }) => history),
  });
  const digest = digestOf(bytes);
  const manifest = encodeManifest({
    kind: 'image',
    mediaType: MEDIA.ociManifest,
    artifactType: undefined,
    config: { mediaType: MEDIA.ociConfig, digest, size: bytes.length },
    layers: layers.map(({ descriptor }) => descriptor),
    subject: undefined,
    annotations,
  });
  return { raw: rawManifest(manifest), config: { digest, bytes }, layers };
}
