/** Images of given layers, for programs that read image layouts, and the same layers applied by us. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import {
  type ImageLayer,
  type ImportedImage,
  type ImportImageOptions,
  importImageLayers,
  SAME_PATHS,
} from '../../src/layers/index.ts';
import { createRepository, HEAD, openRepository, withTransaction, writeCommit } from '../../src/ostree/index.ts';
import { type Facts, factsOf } from './checkout-facts.ts';

const MEDIA = 'application/vnd.oci.image';
const signal = new AbortController().signal;

/** A layout with one image, `image`, of these uncompressed archives. */
export function writeLayout(directory: string, tars: readonly string[]): void {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const put = (mediaType: string, bytes: Uint8Array) => {
    const hex = sha256(bytes);
    writeFileSync(join(directory, 'blobs/sha256', hex), bytes);
    return { mediaType: `${MEDIA}.${mediaType}+json`, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const contents = tars.map((tar) => readFileSync(tar));
  const layers = contents.map((bytes) => ({
    ...put('layer.v1.tar', gzipSync(bytes, { level: constants.Z_BEST_SPEED })),
    mediaType: `${MEDIA}.layer.v1.tar+gzip`,
  }));
  const diffIds = contents.map((bytes) => `sha256:${sha256(bytes)}`);
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = put('config.v1', json({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
  const manifest = put(
    'manifest.v1',
    json({ schemaVersion: 2, mediaType: `${MEDIA}.manifest.v1+json`, config, layers }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'image' };
  writeFileSync(join(directory, 'index.json'), json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  writeFileSync(join(directory, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

/** The layers in a new bare repository; ref `image` is the merged tree, `layer/N` that of each layer. */
export async function importInto(
  repo: string,
  tars: readonly string[],
  options: Partial<ImportImageOptions> = {},
): Promise<ImportedImage> {
  createRepository(repo, { mode: 'bare' });
  const repository = openRepository(repo);
  try {
    return await withTransaction(repository, { signal, fsync: false }, async (transaction) => {
      const commit = (root: ImportedImage['root'], ref: string): void => {
        transaction.setRef({ place: HEAD, ref, commit: writeCommit(transaction.writer, root, { timestamp: 0 }) });
      };
      const layers = tars.map(layerOf);
      const image = await importImageLayers(transaction, layers, {
        paths: SAME_PATHS,
        specials: 'skip',
        signal,
        onLayer: (layer, { root }) => commit(root, `layer/${layers.indexOf(layer)}`),
        ...options,
      });
      commit(image.root, 'image');
      return image;
    });
  } finally {
    repository.close();
  }
}

function layerOf(tar: string): ImageLayer {
  const descriptor = { mediaType: `${MEDIA}.layer.v1.tar`, digest: `sha256:${tar}`, size: 0 } as const;
  return { descriptor, open: () => createReadStream(tar) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What layers decide of a file: neither times nor inodes. */
export function layeredFacts(root: string): Record<string, Omit<Facts, 'time' | 'inode'>> {
  const kept = Object.entries(factsOf(root)).filter(([, { mode }]) => !isSpecial(mode));
  return Object.fromEntries(
    kept.map(([path, { mode, owner, content, xattrs }]) => [path, { mode, owner, content, xattrs }]),
  );
}

/** Devices, fifos and sockets, by the octal mode of stat. */
function isSpecial(mode: string): boolean {
  return !/^(?:10|4|12)\d{4}$/.test(mode);
}
