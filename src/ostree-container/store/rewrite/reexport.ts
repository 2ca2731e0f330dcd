/**
 * A stored image back into any place of images. Each layer has the content that it had; how it is packed, and so its
 * digest, may be another one. What was left out when it was stored is not there any more.
 */

import { jsonTime } from '../../../base/json.ts';
import type { Progress } from '../../../base/progress.ts';
import type { ImageName, Images } from '../../../images/index.ts';
import { type Digest, parseConfig, type RawManifest } from '../../../oci/index.ts';
import { type Checksum, lockForReading, objectsOf, type Repository } from '../../../ostree/index.ts';
import { type Layer, splitLayers } from '../../labels/index.ts';
import { type NewImage, openNewImage } from '../../new-image/index.ts';
import { contentTargets, type Sink, StreamWriter } from '../../stream/index.ts';
import { StoreError } from '../error.ts';
import { imageHistory } from '../manage/history.ts';
import { findImage, layerCommit, readObjectSet } from '../records/index.ts';
import { writeDerivedTar } from './derived-tar.ts';
import { annotationsWith, withFinalDiffId } from './final-diff-id.ts';

export interface ReexportOptions {
  readonly images: Pick<Images, 'destination'>;
  readonly destination: ImageName;
  /** Larger layers, sooner. */
  readonly fast?: boolean | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  readonly timeoutMs?: number | undefined;
}

/**
 * @returns the manifest as it is at the destination
 * @throws StoreError IMAGE_NOT_STORED, LAYER_NOT_STORED; OstreeError OBJECT_*; ImagesError, OciError, RegistryError
 */
export async function reexportImage(
  repository: Repository,
  name: ImageName,
  options: ReexportOptions,
): Promise<RawManifest> {
  const held = await lockForReading(repository, options);
  try {
    const stored = findImage(repository, name);
    const config = parseConfig(stored.config);
    const timestamp = objectsOf(repository).commit(stored.commit).timestamp;
    const created = config.created ?? jsonTime(timestamp * 1000);
    const { images, destination, onProgress, signal } = options;
    const image = await openNewImage({ images, destination, created, onProgress, signal });
    try {
      const rows = imageHistory(stored).filter(({ layer }) => layer !== undefined);
      const layers = splitLayers(stored.image, config);
      const made = new Layers(
        repository,
        image,
        rows.map(({ createdBy }) => createdBy),
        options,
      );
      const { base } = layers;
      const last = base && (await made.addCommit(base, layers.components));
      for (const layer of layers.derived) await made.addDerived(layer);
      const annotations = annotationsWith(stored.image.annotations, last);
      return await image.finish({ config: withFinalDiffId(config, last), annotations });
    } finally {
      await image.close();
    }
  } finally {
    held.release();
  }
}

class Layers {
  readonly #repository: Repository;
  readonly #image: NewImage;
  /** Of each layer, the lowest first. */
  readonly #history: readonly string[];
  readonly #options: ReexportOptions;
  #count = 0;

  constructor(repository: Repository, image: NewImage, history: readonly string[], options: ReexportOptions) {
    this.#repository = repository;
    this.#image = image;
    this.#history = history;
    this.#options = options;
  }

  /** @returns diff id of the last of them */
  async addCommit(base: Layer, components: readonly Layer[]): Promise<Digest> {
    const reader = objectsOf(this.#repository);
    const commit = this.#commitOf(base);
    const targets = contentTargets(reader, reader.commit(commit).rootTree);
    const left = new Set(targets.keys());
    const chunks = components.map((layer) => readObjectSet(reader, this.#commitOf(layer)).sort());
    for (const contents of chunks) for (const content of contents) left.delete(content);
    const write =
      (contents: Iterable<Checksum>, isBase: boolean) =>
      async (sink: Sink): Promise<void> => {
        const writer = new StreamWriter(reader, sink, this.#options.signal);
        await (isBase ? writer.commit(commit, 'apart') : writer.skeleton());
        for (const content of contents) await writer.contentGroup(content, targets.get(content) ?? []);
        await writer.finish();
      };
    let last = await this.#add(base, write([...left].sort(), true));
    for (const [i, layer] of components.entries()) last = await this.#add(layer, write(chunks[i] ?? [], false));
    return last;
  }

  async addDerived(layer: Layer): Promise<void> {
    const commit = this.#commitOf(layer);
    await this.#add(layer, (sink) => writeDerivedTar(this.#repository, commit, sink, this.#options.signal));
  }

  async #add({ descriptor }: Layer, write: (sink: Sink) => Promise<void>): Promise<Digest> {
    const createdBy = this.#history[this.#count++] ?? '';
    const { annotations } = descriptor;
    return (await this.#image.addLayer(write, { createdBy, annotations, fast: this.#options.fast })).diffId;
  }

  #commitOf({ descriptor: { digest } }: Layer): Checksum {
    const found = layerCommit(this.#repository, digest);
    if (found !== undefined) return found;
    throw new StoreError('LAYER_NOT_STORED', `layer ${digest}: has no ref in ${this.#repository.path}`, {
      hint: 'pull the image again',
      subject: digest,
    });
  }
}
