/** The image that `--from` names: its manifest, its configuration, and the tree of its files. */
import {
  chooseImage,
  formatImageName,
  type ImageName,
  type ImageSource,
  type Images,
  readImageConfig,
} from '../../../images/index.ts';
import {
  assertSameLayers,
  type Descriptor,
  type Digest,
  type HistoryEntry,
  type ImageConfig,
  openLayer,
  type Platform,
  parseConfig,
} from '../../../oci/index.ts';
import { SeedError } from '../error.ts';
import { BaseTree } from './base-tree.ts';

export interface BaseLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly history: HistoryEntry | undefined;
}

export interface Base {
  readonly source: ImageSource;
  readonly config: ImageConfig;
  readonly layers: readonly BaseLayer[];
}

/** Uncompressed bytes of one layer. */
const LAYER_LIMIT = 2 ** 38;

/**
 * @param platform of the commit
 * @throws SeedError ARCHITECTURE_MISMATCH; ImagesError, OciError, RegistryError
 */
export async function openBase(
  images: Pick<Images, 'source'>,
  name: ImageName,
  platform: Platform,
  signal: AbortSignal,
): Promise<Base> {
  const source = await images.source(name, signal);
  try {
    const { manifest } = await chooseImage(source, await source.readManifest(undefined, signal), platform, signal);
    const config = parseConfig(await readImageConfig(source, manifest.config, signal));
    assertSameLayers(manifest, config);
    if (config.architecture !== platform.architecture) throw wrongArchitecture(name, config.architecture, platform);
    const histories = (config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true);
    const layers = manifest.layers.map((descriptor, i) => {
      const diffId = config.rootfs.diff_ids[i];
      if (diffId === undefined) throw new Error('unreachable: as many diff ids as layers');
      return { descriptor, diffId, history: histories.length === manifest.layers.length ? histories[i] : undefined };
    });
    return { source, config, layers };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Every layer is read once, and verified. @throws OciError, CompressionError, TarError; SeedError SEED_LIMIT */
export async function readBaseTree({ source, layers }: Base, signal: AbortSignal): Promise<BaseTree> {
  const tree = new BaseTree();
  for (const { descriptor, diffId } of layers) {
    const blob = source.readBlob(descriptor, 0, signal);
    await tree.add(diffId, openLayer(descriptor, blob, { diffId, limit: LAYER_LIMIT, signal }), signal);
  }
  return tree;
}

function wrongArchitecture(name: ImageName, found: string, { architecture }: Platform): SeedError {
  const shown = formatImageName(name);
  const text = `${shown}: made for ${found === '' ? 'no named architecture' : found}, the commit for ${architecture}`;
  return new SeedError('ARCHITECTURE_MISMATCH', text, {
    hint: 'the commit says so in its metadata "ostree.architecture"; without that it counts as made for this machine',
    subject: shown,
  });
}
