/** Sample images, the same bytes in every run, written as a layout. */
import {
  createLayout,
  type Descriptor,
  type Digest,
  digestOf,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON,
  encodeConfig,
  encodeManifest,
  type ImageConfig,
  type LayerPacking,
  type LayoutWriter,
  MEDIA,
  type Platform,
  packLayer,
  type RawManifest,
  rawManifest,
} from '../../src/oci/index.ts';
import { TarWriter, type TarWriterEntry } from '../../src/tar/index.ts';
import { seededRandom } from './mutate.ts';

/** An entry and its content; owner root, mode 0755 or 0644 and the year 1970 unless said otherwise. */
export type SampleEntry = Partial<TarWriterEntry> & { readonly path: string; readonly content?: string | Uint8Array };

export interface SampleImage {
  /** The lowest first. Default: two small layers. */
  readonly layers?: readonly (readonly SampleEntry[])[];
  readonly packing?: LayerPacking;
  /** Merged over the default config. */
  readonly config?: Partial<Omit<ImageConfig, 'rootfs'>>;
  readonly platform?: Platform;
  readonly tag?: string | undefined;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  /** Docker schema 2 instead of OCI. */
  readonly docker?: boolean;
}

export interface MadeImage {
  /** Of the manifest, as the index of the layout names it (with a platform, where one was given). */
  readonly descriptor: Descriptor;
  readonly raw: RawManifest;
  readonly config: ImageConfig;
  readonly configDescriptor: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly Digest[];
  /** The uncompressed layers. */
  readonly tars: readonly Uint8Array[];
}

const DEFAULT_LAYERS: readonly (readonly SampleEntry[])[] = [
  [
    { path: 'etc', type: 'directory' },
    { path: 'etc/hostname', content: 'sample\n' },
    { path: 'usr', type: 'directory' },
    { path: 'usr/bin', type: 'directory' },
    { path: 'usr/bin/tool', content: '#!/bin/sh\necho one\n', mode: 0o755 },
    { path: 'usr/bin/alias', type: 'symlink', linkTarget: 'tool' },
  ],
  [
    { path: 'etc/.wh.hostname', content: '' },
    { path: 'usr/bin/tool', content: '#!/bin/sh\necho two\n', mode: 0o755 },
    { path: 'usr/bin/same', type: 'hardlink', linkTarget: 'usr/bin/tool' },
  ],
];

/** Write an image into the layout of a directory (made when absent) and give it its tag. */
export async function makeImage(directory: string, image: SampleImage = {}): Promise<MadeImage> {
  const layout = await createLayout(directory);
  try {
    const made = await addImage(layout, image);
    layout.setTag(made.descriptor, image.tag);
    layout.flush();
    return made;
  } finally {
    layout.close();
  }
}

/** Several platforms under one tag: an index. */
export async function makeIndex(
  directory: string,
  images: readonly SampleImage[],
  tag?: string,
): Promise<{ readonly descriptor: Descriptor; readonly raw: RawManifest; readonly members: readonly MadeImage[] }> {
  const layout = await createLayout(directory);
  try {
    const members: MadeImage[] = [];
    for (const image of images) members.push(await addImage(layout, image));
    const manifests = members.map(({ descriptor }) => descriptor);
    const raw = rawManifest(
      encodeManifest({
        kind: 'index',
        mediaType: MEDIA.ociIndex,
        artifactType: undefined,
        manifests,
        subject: undefined,
        annotations: {},
      }),
    );
    layout.writeManifest(raw);
    const descriptor = { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length };
    layout.setTag(descriptor, tag);
    layout.flush();
    return { descriptor, raw, members };
  } finally {
    layout.close();
  }
}

/** A blob with a type and no files, say about another image; without a tag. */
export async function addArtifact(
  layout: LayoutWriter,
  artifact: { readonly artifactType: string; readonly subject?: Descriptor; readonly content: Uint8Array },
): Promise<{ readonly descriptor: Descriptor; readonly raw: RawManifest; readonly blob: Descriptor }> {
  const { artifactType, subject, content } = artifact;
  const blob = descriptorOf(artifactType, content);
  await addBlob(layout, EMPTY_DESCRIPTOR, EMPTY_JSON);
  await addBlob(layout, blob, content);
  const raw = rawManifest(
    encodeManifest({
      kind: 'image',
      mediaType: MEDIA.ociManifest,
      artifactType,
      config: EMPTY_DESCRIPTOR,
      layers: [blob],
      subject,
      annotations: {},
    }),
  );
  layout.writeManifest(raw);
  const descriptor = { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length, artifactType };
  return { descriptor, raw, blob };
}

/** Without a tag. */
export async function addImage(layout: LayoutWriter, image: SampleImage): Promise<MadeImage> {
  const { packing = 'gzip', docker = false, platform } = image;
  const tars = await Promise.all((image.layers ?? DEFAULT_LAYERS).map(sampleTar));
  const packed = await Promise.all(tars.map((tar) => pack(tar, packing)));
  const diffIds = packed.map(({ diffId }) => diffId);
  const config: ImageConfig = {
    created: '2026-01-02T03:04:05Z',
    architecture: platform?.architecture ?? 'amd64',
    os: platform?.os ?? 'linux',
    ...(platform?.variant !== undefined && { variant: platform.variant }),
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/usr/bin/tool'] },
    history: packed.map((_, i) => ({ created: '2026-01-02T03:04:05Z', created_by: `layer ${i}` })),
    ...image.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const configBytes = encodeConfig(config);
  const configDescriptor = descriptorOf(docker ? MEDIA.dockerConfig : MEDIA.ociConfig, configBytes);
  const layers = packed.map(({ blob }) => descriptorOf(LAYER_TYPES[docker ? 'docker' : 'oci'][packing], blob));
  const raw = rawManifest(
    encodeManifest({
      kind: 'image',
      mediaType: docker ? MEDIA.dockerManifest : MEDIA.ociManifest,
      artifactType: undefined,
      config: configDescriptor,
      layers,
      subject: image.subject,
      annotations: image.annotations ?? {},
    }),
  );
  await addBlob(layout, configDescriptor, configBytes);
  for (const [i, layer] of layers.entries()) await addBlob(layout, layer, packed[i]?.blob ?? new Uint8Array());
  layout.writeManifest(raw);
  const descriptor: Descriptor = {
    mediaType: raw.mediaType,
    digest: raw.digest,
    size: raw.bytes.length,
    ...(platform !== undefined && { platform }),
  };
  return { descriptor, raw, config, configDescriptor, layers, diffIds, tars };
}

const LAYER_TYPES = {
  oci: { none: MEDIA.ociLayer, gzip: MEDIA.ociLayerGzip, zstd: MEDIA.ociLayerZstd },
  docker: { none: MEDIA.dockerLayer, gzip: MEDIA.dockerLayerGzip, zstd: MEDIA.dockerLayerZstd },
} as const;

export async function addBlob(layout: LayoutWriter, descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
  await layout.writeBlob(descriptor, (from) => once(bytes.subarray(from)), new AbortController().signal);
}

/** One chunk, or none. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

export function descriptorOf(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** An uncompressed layer. */
export async function sampleTar(entries: readonly SampleEntry[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  for (const { content, ...entry } of entries) {
    const type = entry.type ?? 'file';
    const mode = entry.mode ?? (type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644);
    const data = typeof content === 'string' ? Buffer.from(content) : content;
    await writer.add({ uid: 0, gid: 0, ...entry, type, mode }, data);
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

/** Content that does not compress, the same for the same seed. */
export function noise(size: number, seed = 1): Uint8Array {
  const random = seededRandom(seed);
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(random(2 ** 32), at);
  return bytes;
}

async function pack(tar: Uint8Array, packing: LayerPacking) {
  const chunks: Uint8Array[] = [];
  const { diffId } = await packLayer(once(tar), packing, (chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  return { blob: Buffer.concat(chunks), diffId };
}
