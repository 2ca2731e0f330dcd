/**
 * A stored image as an image again. The repository keeps what was in the layers and not the blobs, so layers are packed
 * anew, and layers, configuration and manifest get digests of their own.
 */
import { fromWriter } from '../../base/from-writer.ts';
import { writeLayerTar } from '../../layers/index.ts';
import {
  type ArchiveWriter,
  type Descriptor,
  type Digest,
  digestOf,
  encodeConfig,
  encodeManifest,
  hostPlatform,
  type ImageConfig,
  MEDIA,
  parseManifest,
  type RawManifest,
  rawManifest,
  spoolLayer,
} from '../../oci/index.ts';
import type { Repository } from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import { layerFacts, readStoredConfig, type StoredImage } from '../storage/index.ts';

interface PackedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Into one archive; what several images share is packed once. */
export class ImagePacker {
  readonly #repository: Repository;
  readonly #archive: ArchiveWriter;
  readonly #signal: AbortSignal;
  readonly #onLayer: (digest: Digest, size: number) => void;
  /** By the digest that a layer came with. */
  readonly #packed = new Map<Digest, PackedLayer>();

  constructor(
    repository: Repository,
    archive: ArchiveWriter,
    { signal, onLayer }: { readonly signal: AbortSignal; onLayer(digest: Digest, size: number): void },
  ) {
    this.#repository = repository;
    this.#archive = archive;
    this.#signal = signal;
    this.#onLayer = onLayer;
  }

  /** @returns how many layers are in the archive now, and their bytes */
  get layers(): { readonly count: number; readonly bytes: number } {
    const all = [...this.#packed.values()];
    return { count: all.length, bytes: all.reduce((sum, { descriptor }) => sum + descriptor.size, 0) };
  }

  /** The image in the archive, under this tag. @throws ContainerError BAD_STORED_IMAGE; OstreeError OBJECT_* */
  async add(image: StoredImage, tag: string): Promise<RawManifest> {
    const layers: PackedLayer[] = [];
    for (const digest of image.layers) layers.push(await this.#layer(image, digest));
    const bytes = encodeConfig(configOf(readStoredConfig(this.#repository, image), layers));
    const config = { mediaType: MEDIA.ociConfig, digest: digestOf(bytes), size: bytes.length };
    await this.#archive.writeBlob(config, (from) => whole(bytes.subarray(from)), this.#signal);
    const raw = rawManifest(
      encodeManifest({
        kind: 'image',
        mediaType: MEDIA.ociManifest,
        artifactType: undefined,
        config,
        layers: layers.map(({ descriptor }) => descriptor),
        subject: undefined,
        annotations: annotationsOf(image),
      }),
    );
    this.#archive.writeManifest(raw);
    this.#archive.setTag({ mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length }, tag);
    return raw;
  }

  async #layer(image: StoredImage, digest: Digest): Promise<PackedLayer> {
    const known = this.#packed.get(digest);
    if (known !== undefined) return known;
    const facts = layerFacts(this.#repository, digest);
    if (facts === undefined) {
      throw new ContainerError('BAD_STORED_IMAGE', `${image.name}: layer ${digest} is not in the repository`, {
        hint: `pull it again: "pull ${image.name}"`,
        subject: image.name,
      });
    }
    const write = (sink: (chunk: Uint8Array) => void | Promise<void>) =>
      writeLayerTar(this.#repository, facts.commit, sink, { signal: this.#signal });
    const spooled = await spoolLayer(fromWriter(write), { packing: 'gzip' });
    try {
      const descriptor = { mediaType: MEDIA.ociLayerGzip, digest: spooled.digest, size: spooled.size };
      await this.#archive.writeBlob(descriptor, (from) => spooled.read(from), this.#signal);
      const packed = { descriptor, diffId: spooled.diffId };
      this.#packed.set(digest, packed);
      this.#onLayer(digest, spooled.size);
      return packed;
    } finally {
      spooled.close();
    }
  }
}

/** All that was said about the image; the layers are others. */
function configOf(stored: ImageConfig | undefined, layers: readonly PackedLayer[]): ImageConfig {
  const { architecture, os } = hostPlatform();
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } as const;
  return { architecture, os, ...stored, rootfs };
}

function annotationsOf({ raw, config }: StoredImage): Readonly<Record<string, string>> {
  if (config === undefined) return {}; // Docker's schema 1
  const manifest = parseManifest(rawManifest(raw));
  return manifest.kind === 'image' ? manifest.annotations : {};
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
