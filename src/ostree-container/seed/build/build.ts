/** `build`: a commit as an image of the seed layout (spec ostree-container 1.1 to 1.3, 1.5). */
import { jsonTime } from '../../../base/json.ts';
import type { Progress } from '../../../base/progress.ts';
import { plural } from '../../../base/text.ts';
import {
  type Checksum,
  HEAD,
  isPartial,
  isRefName,
  lockForReading,
  OstreeError,
  objectsOf,
  type Repository,
  readRef,
  resolveRevision,
} from '../../../ostree/index.ts';
import { openNewImage } from '../../new-image/index.ts';
import { openBase, readBaseTree } from '../base/open-base.ts';
import { commitFacts } from './commit-facts.ts';
import { contentsOf } from './contents.ts';
import { ImageBuild } from './image-build.ts';
import { withImageRepository } from './image-repository.ts';
import type { BuildInput, BuildOptions, BuiltImage } from './options.ts';
import { reachOf } from './repository-layers.ts';

/**
 * The same commit of the same repository with the same options gives the same bytes.
 * @throws OstreeError REF_MISSING, COMMIT_PARTIAL, OBJECT_*; SeedError ARCHITECTURE_MISMATCH; what places of images throw
 */
export async function buildImage(repository: Repository, options: BuildOptions): Promise<BuiltImage> {
  const held = await lockForReading(repository, options);
  try {
    const commit = resolveRevision(repository, options.revision);
    if (isPartial(repository, commit)) {
      throw new OstreeError('COMMIT_PARTIAL', `commit ${commit}: objects of it may be missing`, { subject: commit });
    }
    const facts = commitFacts(objectsOf(repository), commit);
    const base = options.from && (await openBase(options.images, options.from, facts.platform, options.signal));
    try {
      const input = {
        facts,
        base,
        deltasFrom: deltasFrom(repository, options),
        webserver: await options.webserver?.(facts),
      };
      return await build(repository, input, options);
    } finally {
      await base?.source.close();
    }
  } finally {
    held.release();
  }
}

function deltasFrom(repository: Repository, { deltasFrom: revisions = [] }: BuildOptions): (Checksum | undefined)[] {
  const found = revisions.map((each) => (each === undefined ? undefined : resolveRevision(repository, each)));
  return [...new Set(found)].sort((a = '', b = '') => (a < b ? -1 : Number(a > b)));
}

async function build(repository: Repository, input: BuildInput, options: BuildOptions): Promise<BuiltImage> {
  const { facts, base, deltasFrom } = input;
  const { revision, signal, onProgress } = options;
  const { checksum: commit } = facts;
  const tree = base && (await readBaseTree(base, signal));
  // A head keeps its name; an abbreviated checksum, a parent or a remote's ref is none.
  const isHead = isRefName(revision) && readRef(repository, HEAD, revision) === commit;
  const ref = isHead ? revision : undefined;
  const onNote = (text: string): void => onProgress({ kind: 'note', text });
  const inImage = { commit, ref, deltasFrom, timestamp: facts.commit.timestamp, onNote, signal };
  return withImageRepository(repository, inImage, async (made) => {
    const reader = objectsOf(made);
    const reach = reachOf(reader, commit);
    const contents = contentsOf(reader, facts, reach, tree);
    if (base !== undefined) onNote(`${plural(contents.external, 'file')} of the base are not stored again`);
    const { images, destination } = options;
    const created = jsonTime(facts.commit.timestamp * 1000);
    const onCopied: Progress = (event) => {
      if (event.kind !== 'note') onProgress(event); // each layer was named when it was made
    };
    const image = await openNewImage({ images, destination, created, onProgress: onCopied, signal });
    const work = new ImageBuild(image, made, { ...input, contents, reach }, options);
    try {
      const layers = await work.layers();
      const manifest = await image.finish(work.parts(layers));
      const { stored, external } = contents;
      return { commit, manifest, layers, contents: stored.length, external };
    } finally {
      work.close();
      await image.close();
    }
  });
}
