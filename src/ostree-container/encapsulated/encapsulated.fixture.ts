/** Images of made-up commits, as they are and with something changed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { scratch } from '../../../test/support/scratch.ts';
import { silent } from '../../base/progress.ts';
import { type ImageSource, type Images, openImages, parseImageName } from '../../images/index.ts';
import {
  hostPlatform,
  type ImageConfig,
  type ImageManifest,
  openLayout,
  parseConfig,
  parseManifest,
} from '../../oci/index.ts';
import { type Checksum, findEntry, objectsOf, type Repository } from '../../ostree/index.ts';
import { openNewImage } from '../new-image/index.ts';
import { parseContentMeta } from '../packing/index.ts';
import { parseOstreeReference } from '../reference/index.ts';
import { SIGNAL } from '../stream/stream.fixture.ts';
import { type EncapsulateOptions, encapsulate } from './encapsulate.ts';
import { type UnencapsulateOptions, unencapsulate } from './unencapsulate.ts';

type Test = Parameters<typeof scratch>[0];

export const CREATED = '2020-01-01T00:00:00Z';

export interface Workshop {
  readonly images: Images;
  /** Layers that were read, by digest. */
  readonly read: string[];
  /** A layout with one image. */
  layout(name: string): string;
  encapsulate(
    repository: Repository,
    name: string,
    options?: Partial<EncapsulateOptions>,
  ): ReturnType<typeof encapsulate>;
  unencapsulate(
    repository: Repository,
    name: string,
    options?: Partial<UnencapsulateOptions>,
  ): ReturnType<typeof unencapsulate>;
  look(name: string): StoredImage;
  /** Another image: these tars as layers. */
  make(name: string, tars: readonly Uint8Array[], labels: Readonly<Record<string, string>>): Promise<void>;
}

export interface StoredImage {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Uncompressed. */
  readonly tars: readonly Buffer[];
  readonly labels: Readonly<Record<string, string>>;
}

export function workshop(t: Test, revision: Checksum): Workshop {
  const folder = scratch(t);
  const own = openImages({ http: { userAgent: 'test' }, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => own.close());
  const read: string[] = [];
  const images: Images = { ...own, source: async (...args) => watched(await own.source(...args), read) };
  const layout = (name: string): string => `oci:${join(folder, name)}`;
  return {
    images,
    read,
    layout,
    encapsulate: (repository, name, options = {}) =>
      encapsulate(repository, revision, parseImageName(layout(name)), { images, signal: SIGNAL, ...options }),
    unencapsulate: (repository, name, options = {}) =>
      unencapsulate(repository, {
        images,
        reference: parseOstreeReference(`ostree-unverified-image:${layout(name)}`),
        admit: () => Promise.resolve(),
        platform: hostPlatform(),
        threads: 0,
        fsync: false,
        signal: SIGNAL,
        ...options,
      }),
    look: (name) => look(join(folder, name)),
    async make(name, tars, labels) {
      const destination = parseImageName(layout(name));
      const image = await openNewImage({ images, destination, created: CREATED, onProgress: silent, signal: SIGNAL });
      for (const tar of tars) await image.addLayer(async (sink) => sink(tar), { createdBy: 'made' });
      const { architecture, os } = hostPlatform();
      await image.finish({ config: { architecture, os, config: { Labels: labels } }, annotations: {} });
      await image.close();
    },
  };
}

function look(path: string): StoredImage {
  const layout = openLayout(path);
  const { digest } = layout.find(undefined);
  const manifest = parseManifest(layout.readManifest(digest));
  layout.close();
  if (manifest.kind !== 'image') throw new Error('unreachable: an image of ours is no index');
  const blob = (name: string): Buffer => readFileSync(join(path, 'blobs', name.replace(':', '/')));
  const config = parseConfig(blob(manifest.config.digest));
  const tars = manifest.layers.map((layer) => gunzipSync(blob(layer.digest)));
  return { manifest, config, tars, labels: config.config?.Labels ?? {} };
}

function watched(source: ImageSource, read: string[]): ImageSource {
  const readBlob: ImageSource['readBlob'] = (descriptor, from, signal) => {
    if (descriptor.mediaType.includes('layer')) read.push(descriptor.digest);
    return source.readBlob(descriptor, from, signal);
  };
  return { ...source, readBlob };
}

/** Components by hand: name to contents. */
export function componentsOf(parts: Readonly<Record<string, readonly Checksum[]>>) {
  const layers = Object.fromEntries(Object.keys(parts).map((name) => [`${name}-1`, name]));
  const mapping = Object.fromEntries(
    Object.entries(parts).flatMap(([name, objects]) => objects.map((object) => [object, `${name}-1`])),
  );
  const text = JSON.stringify({ version: 1, layers, mapping });
  return { kind: 'file', meta: parseContentMeta(Buffer.from(text), 'components'), name: 'components' } as const;
}

export function objectAt(repository: Repository, commit: Checksum, path: string): Checksum {
  const reader = objectsOf(repository);
  const found = findEntry(reader, reader.commit(commit), path);
  if (found.kind !== 'file') throw new Error(`no file: ${path}`);
  return found.checksum;
}
