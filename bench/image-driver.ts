/**
 * An image into a repository, until a command does it: `image-driver SOURCE REPOSITORY [CHECKOUT]`. A process of its
 * own, so that its start and its memory count.
 */
import { openImages, parseImageName, readImageConfig } from '../src/images/index.ts';
import { type ImageLayer, importImageLayers, SAME_PATHS } from '../src/layers/index.ts';
import { openLayer, parseConfig, parseManifest } from '../src/oci/index.ts';
import {
  CHECKOUT_DEFAULTS,
  checkout,
  HEAD,
  openRepository,
  type Repository,
  withTransaction,
  writeCommit,
} from '../src/ostree/index.ts';

/** Of a layer, uncompressed. */
const LIMIT = 2 ** 38;
const { signal } = new AbortController();

async function main([from = '', to = '', target]: readonly string[]): Promise<void> {
  const images = openImages({
    http: { userAgent: 'tako/bench' },
    tlsVerify: from.startsWith('docker:') ? false : undefined,
    anonymous: true,
    onNote: (text) => console.error(text),
    env: process.env,
    uid: process.getuid?.() ?? 0,
  });
  const repository = openRepository(to);
  try {
    const commit = await importInto(repository, await layersOf(images, from));
    if (target !== undefined) {
      await checkout(repository, commit, target, { ...CHECKOUT_DEFAULTS, links: 'require' }, signal);
    }
  } finally {
    repository.close();
    await images.close();
  }
}

async function layersOf(images: ReturnType<typeof openImages>, from: string): Promise<readonly ImageLayer[]> {
  const source = await images.source(parseImageName(from), signal);
  const manifest = parseManifest(await source.readManifest(undefined, signal));
  if (manifest.kind !== 'image') throw new Error(`${from}: not one image`);
  const { rootfs } = parseConfig(await readImageConfig(source, manifest.config, signal));
  return manifest.layers.map((descriptor, i) => ({
    descriptor,
    open: () => {
      const diffId = rootfs.diff_ids[i];
      return openLayer(descriptor, source.readBlob(descriptor, 0, signal), { diffId, limit: LIMIT, signal });
    },
  }));
}

function importInto(repository: Repository, layers: readonly ImageLayer[]): Promise<string> {
  return withTransaction(repository, { signal }, async (transaction) => {
    const { root } = await importImageLayers(transaction, layers, { paths: SAME_PATHS, specials: 'skip', signal });
    const commit = writeCommit(transaction.writer, root, { timestamp: 0 });
    transaction.setRef({ place: HEAD, ref: 'image', commit });
    return commit;
  });
}

await main(process.argv.slice(2));
