/**
 * A commit as an image of format v1 (spec ostree-container 2.4): what runs as a container, and what a host takes its
 * next version from. Equal commits and options give equal bytes: every time in it is the commit's.
 */
import { jsonTime } from '../../base/json.ts';
import { inLanes } from '../../base/lanes.ts';
import { type Progress, silent } from '../../base/progress.ts';
import { plural } from '../../base/text.ts';
import type { ImageName, Images } from '../../images/index.ts';
import type { Descriptor, Digest, RawManifest, RunConfig } from '../../oci/index.ts';
import {
  type Checksum,
  isPartial,
  lockForReading,
  type ObjectReader,
  OstreeError,
  objectsOf,
  type Repository,
  resolveRevision,
} from '../../ostree/index.ts';
import { LABELS } from '../labels/index.ts';
import { type NewImage, openNewImage } from '../new-image/index.ts';
import { COMPONENTS_ANNOTATION } from '../packing/index.ts';
import { type Sink, StreamWriter } from '../stream/index.ts';
import { commitFacts, commitLabels, type LabelRequest, labelObject } from './labels.ts';
import { type Components, type LayerPlan, type PlannedLayer, planLayers, readPriorBuild } from './layer-plan.ts';

export interface EncapsulateOptions extends Omit<LabelRequest, 'more'> {
  readonly images: Pick<Images, 'source' | 'destination'>;
  /** Default: found in the commit. */
  readonly components?: Components | undefined;
  /** Besides the layer of the commit. */
  readonly maxLayers?: number | undefined;
  readonly priorBuild?: ImageName | undefined;
  readonly labels?: Iterable<readonly [string, string]> | undefined;
  /** Instead of what the commit names. */
  readonly command?: readonly string[] | undefined;
  /** What else the container is run with. */
  readonly runConfig?: RunConfig | undefined;
  /** Larger layers, sooner. */
  readonly fast?: boolean | undefined;
  readonly onProgress?: Progress | undefined;
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds for the lock; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
}

export interface EncapsulatedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly title: string;
  /** Content objects. */
  readonly contents: number;
}

export interface Encapsulated {
  readonly commit: Checksum;
  /** As it is at the destination. */
  readonly manifest: RawManifest;
  readonly layers: readonly EncapsulatedLayer[];
}

/** Layers at a time: one waits for the compression, one reads. */
const LANES = 2;

/**
 * The image is visible last of all; after a failure nothing is.
 * @param revision a ref or a checksum
 * @throws OstreeError REF_MISSING, COMMIT_PARTIAL, OBJECT_*; EncapsulatedError; PackingError; StreamError STREAM_LIMIT;
 *   TarError; ImagesError, OciError, RegistryError; CodedError LOCK_TIMEOUT
 */
export async function encapsulate(
  repository: Repository,
  revision: string,
  destination: ImageName,
  options: EncapsulateOptions,
): Promise<Encapsulated> {
  const held = await lockForReading(repository, options);
  try {
    const checksum = resolveRevision(repository, revision);
    if (isPartial(repository, checksum)) {
      throw new OstreeError('COMMIT_PARTIAL', `commit ${checksum}: objects of it may be missing`, {
        subject: checksum,
      });
    }
    return await makeImage(objectsOf(repository), checksum, destination, options);
  } finally {
    held.release();
  }
}

async function makeImage(
  reader: ObjectReader,
  checksum: Checksum,
  destination: ImageName,
  options: EncapsulateOptions,
): Promise<Encapsulated> {
  const { images, components = { kind: 'commit' }, maxLayers, signal, onProgress = silent } = options;
  const commit = reader.commit(checksum);
  const facts = commitFacts(checksum, commit);
  const fromFile = components.kind === 'file' ? components.meta : undefined;
  const more = [...(fromFile?.labels ?? []), ...(options.labels ?? [])];
  const labels = commitLabels(commit, { ...options, more });
  const priorBuild =
    options.priorBuild && (await readPriorBuild(images, options.priorBuild, facts.architecture, signal));
  const created = fromFile?.created === undefined ? facts.created : jsonTime(Date.parse(fromFile.created));
  const image = await openNewImage({ images, destination, created, onProgress, signal });
  try {
    const request = { checksum, commit, title: facts.title, components, maxLayers, priorBuild };
    const onNote = (text: string): void => onProgress({ kind: 'warning', text });
    const plan = await planLayers(reader, request, { onNote, signal });
    const layers = await addLayers(image, { reader, checksum, plan }, options);
    labels.set(LABELS.commit, checksum).set(LABELS.finalDiffId, layers.at(-1)?.diffId ?? '');
    const config = runConfig(options, facts.command, labels);
    const manifest = await image.finish({
      config: { architecture: facts.architecture, os: 'linux', config },
      annotations: labelObject(labels),
    });
    return { commit: checksum, manifest, layers };
  } finally {
    await image.close();
  }
}

interface Content {
  readonly reader: ObjectReader;
  readonly checksum: Checksum;
  readonly plan: LayerPlan;
}

async function addLayers(
  image: NewImage,
  content: Content,
  { signal, onProgress = silent, fast }: EncapsulateOptions,
): Promise<EncapsulatedLayer[]> {
  const { layers: planned, sizes } = content.plan;
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const task = 'pack';
  const label = `${plural(planned.length, 'layer')} of commit ${content.checksum.slice(0, 12)}`;
  onProgress({ kind: 'start', task, label, total, done: 0 });
  let done = 0;
  const advance = (bytes: number): void => {
    done += bytes;
    onProgress({ kind: 'advance', task, done });
  };
  const layers: EncapsulatedLayer[] = [];
  let ok = false;
  try {
    await inLanes(planned.entries(), LANES, signal, async ([i, layer], each) => {
      const write = (sink: Sink): Promise<void> => writeLayer(content, layer, sink, advance, each);
      const annotations = layer.components === undefined ? undefined : { [COMPONENTS_ANNOTATION]: layer.components };
      const stored = await image.addLayer(write, { createdBy: layer.title, annotations, fast });
      layers[i] = { ...stored, title: layer.title, contents: layer.objects.length };
    });
    ok = true;
  } finally {
    onProgress({ kind: 'end', task, ok });
  }
  return layers;
}

async function writeLayer(
  { reader, checksum, plan }: Content,
  { components, objects }: PlannedLayer,
  sink: Sink,
  advance: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const writer = new StreamWriter(reader, sink, signal);
  if (components === undefined) await writer.commit(checksum, 'apart');
  else await writer.skeleton();
  for (const object of objects) {
    await writer.contentGroup(object, plan.targets.get(object) ?? []);
    advance(plan.sizes.get(object) ?? 0);
  }
  await writer.finish();
}

function runConfig(
  { command, runConfig: base = {} }: EncapsulateOptions,
  ofCommit: readonly string[] | undefined,
  labels: Iterable<readonly [string, string]>,
): RunConfig {
  const { Labels = {}, ...rest } = base;
  const words = command ?? ofCommit;
  return {
    ...rest,
    ...(words !== undefined && { Cmd: words }),
    Labels: labelObject(new Map([...Object.entries(Labels), ...labels])),
  };
}
