/** A storage as podman lays it out, with two layers that can be damaged. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import { type File, tarOf } from '../docker-archive/docker-archive.fixture.ts';
import { encodeManifest, rawManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import { bigDataFile } from './records.ts';
import { scanTarBuffer } from './storage-tar.fixture.ts';

export interface MadeStorage {
  readonly root: string;
  readonly driver: 'overlay' | 'vfs';
  readonly tars: readonly Buffer[];
  readonly layers: readonly string[];
  readonly config: Buffer;
  readonly id: string;
  readonly digest: string;
  /** Where a layer's files lie. */
  files(layer: number): string;
  tarSplit(layer: number): string;
  writeImages(images: unknown): void;
  writeLayers(layers: unknown): void;
}

export const NAME = 'localhost/app:v1';
const LARGE = Buffer.alloc(2_500_000, 'large');
const LAYERS: readonly (readonly File[])[] = [
  [
    { path: 'usr', type: 'directory', mode: 0o755 },
    { path: 'usr/small', data: 'small' },
    { path: 'usr/empty', data: '' },
    { path: 'usr/large', data: LARGE },
    { path: 'usr/link', type: 'symlink', linkTarget: '/etc/passwd' },
    { path: 'usr/again', type: 'hardlink', linkTarget: 'usr/small' },
    { path: 'top', data: 'x'.repeat(700) },
  ],
  [{ path: 'usr/small', data: 'another' }],
];

export async function makeStorage(root: string, driver: 'overlay' | 'vfs' = 'overlay'): Promise<MadeStorage> {
  const tars = await Promise.all(LAYERS.map(tarOf));
  const layers = ['a', 'b'].map((letter) => letter.repeat(64));
  const diffIds = tars.map((tar) => digestOf(tar));
  const config = Buffer.from(JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }));
  const configDigest = digestOf(config);
  const manifest = rawManifest(
    encodeManifest({
      kind: 'image',
      mediaType: MEDIA.ociManifest,
      artifactType: undefined,
      config: { mediaType: MEDIA.ociConfig, digest: configDigest, size: config.length },
      layers: tars.map((tar) => ({ mediaType: MEDIA.ociLayerGzip, digest: digestOf(gzipSync(tar)), size: 1 })),
      subject: undefined,
      annotations: { kept: 'yes' },
    }),
  );
  const id = configDigest.slice('sha256:'.length);
  const made: MadeStorage = {
    root,
    driver,
    tars,
    layers,
    config,
    id,
    digest: manifest.digest,
    files: (layer) =>
      join(root, driver === 'vfs' ? 'vfs/dir' : 'overlay', layers[layer] ?? '', driver === 'vfs' ? '' : 'diff'),
    tarSplit: (layer) => join(root, `${driver}-layers`, `${layers[layer]}.tar-split.gz`),
    writeImages: (images) => put(join(root, `${driver}-images/images.json`), JSON.stringify(images)),
    writeLayers: (records) => put(join(root, `${driver}-layers/layers.json`), JSON.stringify(records)),
  };
  made.writeImages([{ id, digest: manifest.digest, names: [NAME], layer: layers[1], 'big-data-digests': null }]);
  made.writeLayers(
    layers.map((layer, i) => ({
      id: layer,
      ...(i > 0 && { parent: layers[i - 1] }),
      'diff-digest': diffIds[i],
      'diff-size': tars[i]?.length,
    })),
  );
  for (const kind of ['images', 'layers']) put(join(root, `${driver}-${kind}/${kind}.lock`), '');
  for (const [key, bytes] of [
    ['manifest', manifest.bytes],
    [configDigest, config],
  ] as const) {
    put(join(root, `${driver}-images`, id, bigDataFile(key)), bytes);
  }
  for (const [i, tar] of tars.entries()) {
    put(made.tarSplit(i), gzipSync(splitTar(tar)));
    for (const { path, data = '' } of LAYERS[i] ?? []) {
      if (data.length > 0) put(join(made.files(i), path), Buffer.from(data as Uint8Array));
    }
  }
  return made;
}

/** Lines as tar-split writes them. */
export function splitTar(tar: Buffer): string {
  const lines: object[] = [];
  let at = 0;
  for (const { path, offset, size } of scanTarBuffer(tar)) {
    lines.push({ type: 2, payload: tar.subarray(at, offset).toString('base64') });
    lines.push({ type: 1, name: path, ...(size > 0 ? { size, payload: 'AAAAAAAAAAA=' } : { payload: null }) });
    at = offset + size;
  }
  lines.push({ type: 2, payload: tar.subarray(at).toString('base64') });
  return lines.map((line, position) => `${JSON.stringify({ ...line, position })}\n`).join('');
}

export function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
