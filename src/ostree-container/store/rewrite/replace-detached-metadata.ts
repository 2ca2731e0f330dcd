/** Other detached metadata for the commit in an image, such as a signature that was made later; everything else stays. */
import type { Progress } from '../../../base/progress.ts';
import {
  chooseImage,
  formatImageName,
  type ImageName,
  type ImageSource,
  type Images,
  readImageConfig,
} from '../../../images/index.ts';
import {
  type HistoryEntry,
  type ImageConfig,
  openLayer,
  type Platform,
  parseConfig,
  type RawManifest,
} from '../../../oci/index.ts';
import { decodeDetached } from '../../../ostree/index.ts';
import { readTar, TarWriter } from '../../../tar/index.ts';
import { type ImageLayers, type Layer, splitLayers } from '../../labels/index.ts';
import { type NewImage, openNewImage } from '../../new-image/index.ts';
import type { Sink } from '../../stream/index.ts';
import { StoreError } from '../error.ts';
import { annotationsWith, withFinalDiffId } from './final-diff-id.ts';

export interface ReplaceOptions {
  readonly images: Pick<Images, 'source' | 'destination'>;
  readonly destination: ImageName;
  readonly platform: Platform;
  /** An `a{sv}`, as `.commitmeta` has it; undefined: none at all. */
  readonly detached: Uint8Array | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
}

/** Uncompressed. */
const LAYER_LIMIT = 2 ** 40;
const COMMIT = /^(?:\.?\/)?(sysroot\/ostree\/repo\/objects\/[0-9a-f]{2}\/[0-9a-f]{62})\.commit$/;
const ROOT_OWNED = { mode: 0o644, uid: 0, gid: 0, type: 'file' } as const;

/**
 * @returns the manifest as it is at the destination
 * @throws StoreError NO_COMMIT_IN_IMAGE; OstreeError OBJECT_MALFORMED; OciError; ImagesError; RegistryError; TarError
 */
export async function replaceDetachedMetadata(name: ImageName, options: ReplaceOptions): Promise<RawManifest> {
  const { images, detached, destination, onProgress, signal } = options;
  if (detached !== undefined) decodeDetached(detached, 'detached metadata');
  const source = await images.source(name, signal);
  try {
    const first = await source.readManifest(undefined, signal);
    const { manifest } = await chooseImage(source, first, options.platform, signal);
    const config = parseConfig(await readImageConfig(source, manifest.config, signal));
    const layers = splitLayers(manifest, config);
    if (layers.base === undefined) throw noCommit(name);
    const created = config.created ?? '1970-01-01T00:00:00Z';
    const image = await openNewImage({ images, destination, created, onProgress, signal });
    try {
      const last = await addLayers(image, source, { ...layers, base: layers.base }, config, options);
      const annotations = annotationsWith(manifest.annotations, last);
      return await image.finish({ config: withFinalDiffId(config, last), annotations });
    } finally {
      await image.close();
    }
  } finally {
    await source.close();
  }
}

/** @returns diff id of the last layer of the commit */
async function addLayers(
  image: NewImage,
  source: ImageSource,
  { base, components, derived }: ImageLayers & { readonly base: Layer },
  config: ImageConfig,
  { detached, signal }: ReplaceOptions,
): Promise<Layer['diffId']> {
  const [first, ...rest] = (config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true);
  const { descriptor, diffId } = base;
  const made = await image.addLayer(
    async (sink) => {
      const tar = openLayer(descriptor, source.readBlob(descriptor, 0, signal), { diffId, limit: LAYER_LIMIT, signal });
      await rewrite(tar, sink, detached);
    },
    { createdBy: first?.created_by ?? '', annotations: descriptor.annotations },
  );
  for (const [i, layer] of [...components, ...derived].entries()) {
    const history: HistoryEntry | undefined = rest[i];
    image.addLayerOf(source, { ...layer, history });
  }
  return components.at(-1)?.diffId ?? made.diffId;
}

/** Right behind the commit, where the format wants it. @throws TarError; StoreError NO_COMMIT_IN_IMAGE */
async function rewrite(tar: AsyncIterable<Uint8Array>, sink: Sink, detached: Uint8Array | undefined): Promise<void> {
  const writer = new TarWriter(sink, 'gnu');
  let commit: string | undefined;
  for await (const entry of readTar(tar)) {
    if (entry.path.endsWith('.commitmeta') && entry.path.includes('sysroot/ostree/repo/objects/')) continue;
    const { path, type, mode, uid, gid, uname, gname, mtime, size, linkTarget, device, xattrs } = entry;
    const fields = { path, type, mode: mode & 0o7777, uid, gid, uname, gname, mtime, linkTarget, xattrs };
    if (type === 'file') await writer.add({ ...fields, size }, entry.data());
    else await writer.add({ ...fields, device });
    const [, object] = COMMIT.exec(path) ?? [];
    if (object === undefined || commit !== undefined) continue;
    commit = object;
    if (detached !== undefined) await writer.add({ ...ROOT_OWNED, path: `${object}.commitmeta` }, detached);
  }
  if (commit === undefined) throw new StoreError('NO_COMMIT_IN_IMAGE', 'the first layer has no commit');
  await writer.finish();
}

function noCommit(name: ImageName): StoreError {
  const text = formatImageName(name);
  return new StoreError('NO_COMMIT_IN_IMAGE', `${text}: has no OSTree commit`, { subject: text });
}
