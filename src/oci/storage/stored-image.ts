/**
 * One image of the storage. Layers come as the tars that they were unpacked from, which the storage can make again;
 * how they were compressed is gone, so the manifest is made up: that of the image, with these tars as its layers.
 */
import { printable } from '../../base/text.ts';
import { parseConfig } from '../config.ts';
import type { Descriptor } from '../descriptor.ts';
import { assertDigest, type Digest } from '../digest.ts';
import { OciError } from '../error.ts';
import type { ImageReader } from '../image-reader.ts';
import { encodeManifest, type ImageManifest, parseManifest, type RawManifest, rawManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import type { NamedReference } from '../reference.ts';
import { damaged } from './error.ts';
import { measureLayerTar, readLayerTar } from './layer-tar.ts';
import type { ImageRecord, LayerRecord } from './records.ts';
import type { Store } from './store.ts';

export interface FoundLayer {
  readonly store: Store;
  readonly record: LayerRecord;
}

/** How policies call an image of a storage. Source: containers-policy.json(5), "containers-storage:". */
export interface StoredName {
  readonly driver: string;
  /** Of the first storage, though image and layers may lie in further ones. */
  readonly root: string;
  readonly named: NamedReference | undefined;
  /** In full, where it was asked for by its id. */
  readonly id: string | undefined;
}

export interface FoundImage {
  readonly name: StoredName;
  readonly store: Store;
  readonly record: ImageRecord;
  /** The lowest first. */
  readonly layers: readonly FoundLayer[];
}

interface Parts {
  readonly raw: RawManifest;
  readonly config: { readonly digest: Digest; readonly bytes: Uint8Array };
  readonly layers: ReadonlyMap<Digest, FoundLayer>;
}

export class StoredImage implements ImageReader {
  readonly #image: FoundImage;
  readonly #close: () => void;
  #parts: Parts | undefined;

  constructor(image: FoundImage, close: () => void) {
    this.#image = image;
    this.#close = close;
  }

  get name(): StoredName {
    return this.#image.name;
  }

  /** @throws OciError IMAGE_MISSING for any other than the one image; StorageError */
  async readManifest(digest: Digest | undefined, signal: AbortSignal): Promise<RawManifest> {
    const { raw } = await this.#known(signal);
    if (digest === undefined || digest === raw.digest) return raw;
    throw new OciError('IMAGE_MISSING', `${this.#path}: no manifest ${digest}`, { subject: digest });
  }

  async *readBlob({ digest }: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { config, layers } = await this.#known(signal);
    const layer = layers.get(digest);
    if (digest === config.digest) {
      if (from < config.bytes.length) yield config.bytes.subarray(from);
    } else if (layer !== undefined) {
      yield* readLayerTar(layer.store, layer.record.id, from, signal);
    } else {
      throw new OciError('BLOB_MISSING', `${this.#path}: blob ${digest} is missing`, { subject: digest });
    }
  }

  /** A second time does nothing. */
  close(): void {
    this.#close();
  }

  get #path(): string {
    return printable(this.#image.store.path);
  }

  async #known(signal: AbortSignal): Promise<Parts> {
    this.#parts ??= await this.#look(signal);
    return this.#parts;
  }

  async #look(signal: AbortSignal): Promise<Parts> {
    const { record } = this.#image;
    const manifest = this.#manifest();
    const { digest } = manifest.config;
    const bytes = this.#bigData(digest);
    assertDigest(`config of image ${record.id}`, bytes, digest, manifest.config.size);
    const diffIds = parseConfig(bytes).rootfs.diff_ids;
    this.#assertLayers(diffIds);
    const layers = new Map<Digest, FoundLayer>();
    const descriptors: Descriptor[] = [];
    const mediaType = manifest.mediaType === MEDIA.dockerManifest ? MEDIA.dockerLayer : MEDIA.ociLayer;
    for (const [i, layer] of this.#image.layers.entries()) {
      const diffId = diffIds[i];
      if (diffId === undefined) throw new Error('unreachable: as many diff ids as layers');
      const size = layer.record.diffSize ?? (await measureLayerTar(layer.store, layer.record.id, signal));
      layers.set(diffId, layer);
      descriptors.push({ mediaType, digest: diffId, size });
    }
    const raw = rawManifest(encodeManifest({ ...manifest, layers: descriptors }), manifest.mediaType);
    return { raw, config: { digest, bytes }, layers };
  }

  #manifest(): ImageManifest {
    const { digest } = this.#image.record;
    const manifest = parseManifest(rawManifest(this.#bigData('manifest', digest && `manifest-${digest}`)));
    if (manifest.kind === 'image') return manifest;
    throw damaged(this.#path, `the manifest of image ${this.#image.record.id} is an index`);
  }

  /** Under the first of the keys that is there. */
  #bigData(...keys: readonly (string | undefined)[]): Uint8Array {
    const { store, record } = this.#image;
    for (const key of keys) {
      const bytes = key === undefined ? undefined : store.bigData(record.id, key);
      if (bytes !== undefined) return bytes;
    }
    throw damaged(this.#path, `image ${record.id} has no ${keys[0]}`);
  }

  #assertLayers(diffIds: readonly Digest[]): void {
    const { layers, record } = this.#image;
    const isSame =
      layers.length === diffIds.length &&
      layers.every(({ record: { diffDigest } }, i) => diffDigest === undefined || diffDigest === diffIds[i]);
    if (!isSame) throw damaged(this.#path, `the layers of image ${record.id} are not those of its configuration`);
  }
}
