/** Images of format v1 with their layers made by hand, and repositories that they are pulled into. */
import { join } from 'node:path';
import { addBlob, descriptorOf, type SampleEntry, sampleTar } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openImages, parseImageName } from '../../images/index.ts';
import {
  createLayout,
  type Digest,
  digestOf,
  encodeConfig,
  encodeManifest,
  type HistoryEntry,
  hostPlatform,
  MEDIA,
  packLayer,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import {
  type Checksum,
  createRepository,
  MutableTree,
  objectsOf,
  openRepository,
  type Repository,
  type RepositoryMode,
} from '../../ostree/index.ts';
import { parseOstreeReference } from '../reference/index.ts';
import { contentTargets, type Sink, StreamWriter } from '../stream/index.ts';
import { commitTree, type MadeTree, SIGNAL } from '../stream/stream.fixture.ts';
import type { StorePullOptions } from './pull/index.ts';

type Test = Parameters<typeof scratch>[0];

export const TREE: MadeTree = {
  usr: {
    inside: {
      bin: { inside: { tool: { content: 'tool\n', mode: 0o4755 }, alias: { target: 'tool' } } },
      lib: { inside: { one: { content: 'one' }, two: { content: 'two' }, three: { content: 'three', uid: 7 } } },
      etc: { inside: { config: { content: 'a=b\n' }, empty: { content: '' } } },
    },
  },
  var: { inside: {} },
};

export interface MadeOstreeImage {
  readonly raw: RawManifest;
  readonly commit: Checksum;
  readonly layers: readonly Digest[];
  readonly diffIds: readonly Digest[];
  /** `oci:DIRECTORY`. */
  readonly name: string;
}

export interface OstreeImage {
  readonly from: Repository;
  readonly commit: Checksum;
  /** Contents are dealt out to so many layers behind the first one. */
  readonly components?: number;
  /** Uncompressed archives on top. */
  readonly derived?: readonly Uint8Array[];
  /** Over those that the format wants; undefined takes one away. */
  readonly labels?: Readonly<Record<string, string | undefined>>;
  readonly created?: string;
  readonly architecture?: string;
  /** Contents that are left out of all layers. */
  readonly without?: ReadonlySet<Checksum>;
}

/** Into a layout of its own. */
export async function makeOstreeImage(directory: string, image: OstreeImage): Promise<MadeOstreeImage> {
  const { commit, components = 0, derived = [] } = image;
  const own = await ostreeTars(image);
  const tars = [...own, ...derived];
  const diffIds = tars.map((tar) => digestOf(tar));
  const labels = {
    'ostree.commit': commit,
    'ostree.final-diffid': diffIds[components],
    'ostree.bootable': 'true',
    'containers.bootc': '1',
    ...image.labels,
  };
  const history = tars.map(
    (_, i): HistoryEntry => ({ created_by: i < own.length ? `component ${i}` : `derived ${i}` }),
  );
  const made = await writeImage(directory, tars, {
    labels: Object.fromEntries(
      Object.entries(labels).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    history,
    created: image.created ?? '2026-01-02T03:04:05Z',
    architecture: image.architecture ?? hostPlatform().architecture,
  });

  return { ...made, commit };
}

export interface ImageWords {
  readonly labels: Readonly<Record<string, string>>;
  readonly history: readonly HistoryEntry[];
  readonly created: string;
  readonly architecture: string;
}

export async function writeImage(
  directory: string,
  tars: readonly Uint8Array[],
  { labels, history, created, architecture }: ImageWords,
): Promise<Omit<MadeOstreeImage, 'commit'>> {
  const layout = await createLayout(directory);
  try {
    const layers = [];
    for (const tar of tars) {
      const chunks: Buffer[] = [];
      await packLayer(one(tar), 'gzip', (chunk) => void chunks.push(Buffer.from(chunk)));
      const blob = Buffer.concat(chunks);
      const descriptor = descriptorOf(MEDIA.ociLayerGzip, blob);
      await addBlob(layout, descriptor, blob);
      layers.push(descriptor);
    }
    const diffIds = tars.map((tar) => digestOf(tar));
    const rootfs = { type: 'layers', diff_ids: diffIds } as const;
    const configBytes = encodeConfig({
      created,
      architecture,
      os: 'linux',
      config: { Labels: labels },
      rootfs,
      history,
    });
    const config = descriptorOf(MEDIA.ociConfig, configBytes);
    await addBlob(layout, config, configBytes);
    const fixed = { kind: 'image', mediaType: MEDIA.ociManifest, artifactType: undefined, subject: undefined } as const;
    const raw = rawManifest(encodeManifest({ ...fixed, config, layers, annotations: {} }));
    layout.writeManifest(raw);
    layout.setTag({ mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length }, undefined);
    layout.flush();
    return { raw, layers: layers.map(({ digest }) => digest), diffIds, name: `oci:${directory}` };
  } finally {
    layout.close();
  }
}

async function ostreeTars({ from, commit, components = 0, without }: OstreeImage): Promise<Buffer[]> {
  const reader = objectsOf(from);
  const targets = [...contentTargets(reader, reader.commit(commit).rootTree)]
    .filter(([checksum]) => without?.has(checksum) !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const bins = components + 1;
  return Promise.all(
    Array.from({ length: bins }, (_, bin) =>
      gathered(async (sink) => {
        const writer = new StreamWriter(reader, sink, SIGNAL);
        if (bin === 0) await writer.commit(commit, 'apart');
        else await writer.skeleton();
        for (const [i, [checksum, paths]] of targets.entries()) {
          if (i % bins === bin) await writer.contentGroup(checksum, paths);
        }
        await writer.finish();
      }),
    ),
  );
}

async function gathered(work: (sink: Sink) => Promise<void>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await work((chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function newStore(t: Test, mode: RepositoryMode = 'bare'): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

/** A commit of `TREE`, or another, in an image with these layers on top. */
export async function imageOf(
  t: Test,
  image: Omit<Partial<OstreeImage>, 'derived'> & {
    readonly tree?: MadeTree;
    readonly derived?: readonly (readonly SampleEntry[])[];
  } = {},
): Promise<MadeOstreeImage & { readonly from: Repository }> {
  const from = image.from ?? newStore(t, 'archive');
  const commit = image.commit ?? (await commitTree(from, image.tree ?? TREE));
  const derived = await Promise.all((image.derived ?? []).map((entries) => sampleTar(entries)));
  return { ...(await makeOstreeImage(join(scratch(t), 'image'), { ...image, from, commit, derived })), from };
}

/** Anything is admitted, nothing is told, nothing is flushed. */
export function pullOptions(t: Test, reference: string, more: Partial<StorePullOptions> = {}): StorePullOptions {
  const images = openImages({ http: { userAgent: 'test' }, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => void images.close());
  return {
    reference: parseOstreeReference(
      reference.startsWith('ostree-') ? reference : `ostree-unverified-image:${reference}`,
    ),
    images,
    admit: async () => undefined,
    platform: hostPlatform(),
    allowUnsignedLayers: false,
    requireBootable: false,
    importer: 'test',
    setImageRef: true,
    skipGc: false,
    varTo: 'var',
    specials: 'refuse',
    threads: 0,
    now: 0,
    fsync: false,
    onProgress: () => undefined,
    signal: SIGNAL,
    ...more,
  };
}

/** Paths of a commit with their attributes, as `ls -R` lists them. */
export function listed(repository: Repository, commit: Checksum): Record<string, string> {
  const reader = objectsOf(repository);
  const all: Record<string, string> = {};
  const visit = (at: MutableTree, path: string): void => {
    if (at.meta !== undefined) {
      const { mode, uid } = reader.dirMeta(at.meta);
      all[`${path}/`] = `${(mode & 0o7777).toString(8)}${uid === 0 ? '' : ` ${uid}`}`;
    }
    for (const [name, entry] of at.entries()) {
      if (entry instanceof MutableTree) visit(entry, `${path}/${name}`);
      else all[`${path}/${name}`] = describe(repository, entry);
    }
  };
  visit(MutableTree.of(reader, reader.commit(commit)), '');
  return all;
}

function describe(repository: Repository, checksum: Checksum): string {
  const stored = objectsOf(repository).file(checksum);
  try {
    const { target, mode, uid } = stored.header;
    if (target !== undefined) return `-> ${target}`;
    const text = Buffer.from(stored.bytes()).toString('latin1');
    return `${(mode & 0o7777).toString(8)}${uid === 0 ? '' : ` ${uid}`} ${text}`.trimEnd();
  } finally {
    stored.close();
  }
}

export const nameOf = (name: string) => parseImageName(name);
