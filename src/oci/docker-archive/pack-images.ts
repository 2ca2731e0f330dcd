/** Staged images as one archive, in the order and with the names that skopeo gives its files. */
import { quote } from '../../base/text.ts';
import { TarWriter } from '../../tar/index.ts';
import { parseConfig } from '../config.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, splitDigest } from '../digest.ts';
import { malformed, OciError } from '../error.ts';
import { MANIFEST_LIMIT, parseJson } from '../json.ts';
import type { BlobFile } from '../layout/layout-files.ts';
import type { LayoutWriter } from '../layout/layout-writer.ts';
import { readBlobFile, readWholeBlob } from '../layout/read-blob.ts';
import { type ImageManifest, parseManifest, type RawManifest } from '../manifest.ts';
import { packingOf } from '../media-types.ts';
import { formatNamed, type NamedReference, withDefaultTag } from '../reference.ts';
import { type ArchivedImage, encodeArchivedImages, ITEMS_FILE } from './archived-images.ts';
import { encodeRepositories, LEGACY_VERSION, type LegacyLayer, legacyLayers, type TaggedLayer } from './legacy.ts';

interface Added {
  readonly config: Descriptor;
  readonly configBytes: Uint8Array;
  readonly layers: readonly Descriptor[];
  readonly legacy: readonly LegacyLayer[];
  readonly names: readonly NamedReference[];
}

const FILE = { type: 'file', mode: 0o444, uid: 0, gid: 0 } as const;
const LINK = { type: 'symlink', mode: 0, uid: 0, gid: 0 } as const;

export class PackedImages {
  readonly #layout: LayoutWriter;
  readonly #images: Added[] = [];

  constructor(layout: LayoutWriter) {
    this.#layout = layout;
  }

  add(raw: RawManifest, repoTags: readonly NamedReference[]): void {
    const manifest = parseManifest(raw);
    if (manifest.kind === 'index') {
      throw new OciError('MANIFEST_UNSUPPORTED', `${raw.digest}: an archive of Docker holds no indexes`);
    }
    const { config, layers } = manifest;
    const configBytes = this.#read(config);
    assertPlain(manifest, configBytes);
    for (const layer of layers) this.#open(layer).release();
    this.#images.push({
      config,
      configBytes,
      layers,
      legacy: legacyLayers(
        layers.map(({ digest }) => digest),
        parseJson(configBytes, 'config'),
      ),
      names: repoTags.map(withDefaultTag),
    });
  }

  async pack(write: (chunk: Uint8Array) => void, signal: AbortSignal): Promise<void> {
    const tar = new TarWriter(write);
    const written = new Set<string>();
    const once = async (path: string, work: () => Promise<void>): Promise<void> => {
      if (written.has(path)) return;
      written.add(path);
      await work();
    };
    for (const { config, configBytes, layers, legacy } of this.#images) {
      for (const layer of layers) await once(layerName(layer.digest), () => this.#packLayer(layer, tar, signal));
      const path = configName(config.digest);
      await once(path, () => tar.add({ ...FILE, path }, configBytes));
      for (const layer of legacy) await once(layer.id, () => packLegacy(layer, tar));
    }
    await tar.add({ ...FILE, path: ITEMS_FILE }, encodeArchivedImages(this.#images.map(itemOf)));
    await tar.add({ ...FILE, path: 'repositories' }, encodeRepositories(this.#images.flatMap(taggedOf)));
    await tar.finish();
  }

  async #packLayer(layer: Descriptor, tar: TarWriter, signal: AbortSignal): Promise<void> {
    const file = this.#open(layer);
    const path = layerName(layer.digest);
    await tar.add({ ...FILE, path, size: file.size }, readBlobFile(file, 0, path, signal));
  }

  #read(config: Descriptor): Uint8Array {
    if (config.size > MANIFEST_LIMIT) {
      throw new OciError('TOO_LARGE', `config ${config.digest}: larger than the limit of ${MANIFEST_LIMIT} bytes`);
    }
    const file = this.#open(config);
    try {
      return readWholeBlob(file, config.digest);
    } finally {
      file.release();
    }
  }

  #open({ digest, size }: Descriptor): BlobFile {
    const file = this.#layout.hasBlob(digest, size) ? this.#layout.openBlob(digest) : undefined;
    if (file !== undefined) return file;
    throw new OciError('BLOB_MISSING', `blob ${digest} was never written`, { subject: digest });
  }
}

/** Docker and podman take the layers for what the diff ids of the configuration name. */
function assertPlain({ layers }: ImageManifest, configBytes: Uint8Array): void {
  const { diff_ids: diffIds } = parseConfig(configBytes).rootfs;
  for (const { mediaType, digest } of layers) {
    if (packingOf(mediaType) === 'none') continue;
    const message = `layer ${digest}: media type ${quote(mediaType, 120)} is not that of a tar without compression`;
    throw new OciError('LAYER_UNSUPPORTED', message, { subject: digest });
  }
  const found = layers.map(({ digest }) => digest);
  if (found.length !== diffIds.length || found.some((digest, i) => digest !== diffIds[i])) {
    throw malformed('manifest.layers', 'the diff ids of the configuration', 'others');
  }
}

async function packLegacy({ id, layer, json }: LegacyLayer, tar: TarWriter): Promise<void> {
  await tar.add({ ...LINK, path: `${id}/layer.tar`, linkTarget: `../${layerName(layer)}` });
  await tar.add({ ...FILE, path: `${id}/VERSION` }, LEGACY_VERSION);
  await tar.add({ ...FILE, path: `${id}/json` }, json);
}

function itemOf({ config, layers, names }: Added): ArchivedImage {
  return {
    config: configName(config.digest),
    layers: layers.map(({ digest }) => layerName(digest)),
    repoTags: names.map(formatNamed),
  };
}

/** An image without layers has no legacy form. */
function taggedOf({ legacy, names }: Added): readonly TaggedLayer[] {
  const id = legacy.at(-1)?.id;
  return id === undefined ? [] : names.map((name) => ({ name, id }));
}

function layerName(digest: Digest): string {
  return `${splitDigest(digest).hex}.tar`;
}

function configName(digest: Digest): string {
  return `${splitDigest(digest).hex}.json`;
}
