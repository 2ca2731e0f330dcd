/** The layers of an image of the seed layout in the making, and what its configuration says of them. */
import fs from 'node:fs';
import { jsonTime } from '../../../base/json.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import type { Descriptor, Digest } from '../../../oci/index.ts';
import { type Checksum, deltaName, objectsOf, type Repository } from '../../../ostree/index.ts';
import type { NewImage } from '../../new-image/index.ts';
import type { Base } from '../base/open-base.ts';
import { FROM_NOTHING, LABELS, WEBSERVER } from '../format/layout.ts';
import type { Contents } from './contents.ts';
import { writeFiles } from './files-layer.ts';
import type { GzipMembers } from './gzip-members.ts';
import { runConfig } from './image-config.ts';
import type { BuildInput, BuildOptions, BuiltLayer, Webserver } from './options.ts';
import {
  archivedSize,
  type reachOf,
  writeContents,
  writeDelta,
  writeMetadata,
  writeWebserver,
} from './repository-layers.ts';
import { type SpooledLayer, spoolLayer } from './spooled-layer.ts';

interface Work extends BuildInput {
  readonly contents: Contents;
  readonly reach: ReturnType<typeof reachOf>;
}

const TASK = 'build';

interface MadeLayer {
  readonly part: BuiltLayer['part'];
  readonly createdBy: string;
  readonly layer: SpooledLayer;
}

/** Nobody is at work any more when one of them has failed. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** The layers in their order; those that are made here are made at once. */
export class ImageBuild {
  readonly #image: NewImage;
  readonly #repository: Repository;
  readonly #work: Work;
  readonly #options: BuildOptions;
  readonly #labels: Record<string, string> = {};
  readonly #spooled: SpooledLayer[] = [];
  #done = 0;

  constructor(image: NewImage, repository: Repository, work: Work, options: BuildOptions) {
    this.#image = image;
    this.#repository = repository;
    this.#work = work;
    this.#options = options;
  }

  async layers(): Promise<readonly BuiltLayer[]> {
    const { base, contents, webserver } = this.#work;
    const { onProgress } = this.#options;
    const reader = objectsOf(this.#repository);
    const archived = contents.stored.reduce((sum, object) => sum + archivedSize(reader, object), 0);
    const total = contents.fileBytes + archived + (webserver?.size ?? 0);
    const steps = 3 + this.#work.deltasFrom.length + (webserver === undefined ? 0 : 1);
    const label = `${plural(steps, 'layer')} of commit ${this.#work.facts.checksum.slice(0, 12)}`;
    onProgress({ kind: 'start', task: TASK, label, total, done: 0 });
    let ok = false;
    try {
      const below = (base?.layers ?? []).map((layer) => this.#baseLayer(layer));
      const made = await allOf(this.#made());
      for (const { part, createdBy, layer } of made) {
        this.#image.addLayerOf(layer.source, { ...layer, history: { created: this.#created, created_by: createdBy } });
        onProgress({
          kind: 'note',
          text: `${part}: ${formatBytes(layer.descriptor.size)}, ${layer.descriptor.digest}`,
        });
      }
      ok = true;
      return [...below, ...made.map(({ part, layer }) => built(part, layer))];
    } finally {
      onProgress({ kind: 'end', task: TASK, ok });
    }
  }

  parts(layers: readonly BuiltLayer[]) {
    const { facts, base, webserver, contents } = this.#work;
    const { command, shellByDefault = false, labels = {} } = this.#options;
    const own = {
      [LABELS.commit]: facts.checksum,
      ...(facts.version !== undefined && { [LABELS.version]: facts.version }),
      ...labels,
    };
    const diffIdOf = (part: BuiltLayer['part']): string => layers.find((layer) => layer.part === part)?.diffId ?? '';
    const placed = { [LABELS.metadata]: diffIdOf('metadata'), [LABELS.contents]: diffIdOf('contents') };
    const outside = contents.externalLayers.join(',');
    const config = runConfig({
      command,
      shell: facts.command ?? (contents.hasShell ? ['/bin/sh'] : undefined),
      webserver: webserver?.kind ?? 'none',
      shellByDefault,
      labels: { ...own, ...placed, ...(outside !== '' && { [LABELS.base]: outside }), ...this.#labels },
      base: base?.config.config,
    });
    const created = { 'org.opencontainers.image.created': jsonTime(facts.commit.timestamp * 1000) };
    return { config: { ...facts.platform, config }, annotations: { ...created, ...own } };
  }

  /** When the image is finished, or will not be. */
  close(): void {
    for (const layer of this.#spooled.splice(0)) layer.close();
  }

  #baseLayer(layer: Base['layers'][number]): BuiltLayer {
    const { source } = this.#work.base ?? {};
    if (source === undefined) throw new Error('unreachable: a layer of no base');
    this.#image.addLayerOf(source, layer);
    return built('base', layer);
  }

  get #created(): string {
    return jsonTime(this.#work.facts.commit.timestamp * 1000);
  }

  #made(): readonly Promise<MadeLayer>[] {
    const { facts, contents, reach, deltasFrom, webserver } = this.#work;
    const { signal } = this.#options;
    const { checksum: commit } = facts;
    const repository = this.#repository;
    const reader = objectsOf(repository);
    const subject = facts.commit.subject === '' ? `ostree commit ${commit}` : facts.commit.subject;
    const files = this.#add('files', subject, (members) =>
      writeFiles(reader, contents.entries, members, { signal, onBytes: this.#counter() }),
    );
    const stored = this.#add('contents', 'ostree repository: contents', (members) =>
      writeContents(repository, contents.stored, members, { signal, onBytes: this.#counter() }),
    );
    const metadata = this.#add('metadata', 'ostree repository: metadata', (members) =>
      writeMetadata(repository, members, { commit, reach, map: contents.map, signal }),
    );
    const deltas = deltasFrom.map((from) => this.#delta(from));
    const program = webserver === undefined ? [] : [this.#webserver(webserver)];
    return [files, stored, metadata, ...deltas, ...program];
  }

  async #delta(from: Checksum | undefined): Promise<MadeLayer> {
    const { facts } = this.#work;
    const folder = deltaFolder(this.#repository, { from, to: facts.checksum });
    const made = await this.#add('delta', `ostree repository: delta from ${from ?? 'nothing'}`, (members) =>
      writeDelta(this.#repository, folder, members),
    );
    this.#labels[`${LABELS.delta}${from ?? FROM_NOTHING}`] = made.layer.diffId;
    return made;
  }

  #webserver({ read, size }: Webserver): Promise<MadeLayer> {
    const count = this.#counter();
    return this.#add('webserver', 'ostree repository: web server', async (members) => {
      await writeWebserver(WEBSERVER, read(), size, members);
      count(size);
    });
  }

  async #add(
    part: BuiltLayer['part'],
    createdBy: string,
    write: (members: GzipMembers) => Promise<void>,
  ): Promise<MadeLayer> {
    const layer = await spoolLayer(write);
    this.#spooled.push(layer);
    return { part, createdBy, layer };
  }

  /** For one layer; all of them together are the progress. */
  #counter(): (done: number) => void {
    let before = 0;
    return (done) => {
      this.#done += done - before;
      before = done;
      this.#options.onProgress({ kind: 'advance', task: TASK, done: this.#done });
    };
  }
}

function built(
  part: BuiltLayer['part'],
  { descriptor, diffId }: { descriptor: Descriptor; diffId: Digest },
): BuiltLayer {
  return { part, digest: descriptor.digest, size: descriptor.size, diffId };
}

/** Below the repository. */
function deltaFolder(repository: Repository, name: Parameters<typeof deltaName>[0]): string {
  const [to, from] = [name.to, name.from].map(
    (each) => each && Buffer.from(each, 'hex').toString('base64').replaceAll('/', '_').replace('=', ''),
  );
  const whole = from === undefined ? (to ?? '') : `${from}-${to}`;
  const folder = `deltas/${whole.slice(0, 2)}/${whole.slice(2)}`;
  if (fs.existsSync(`${repository.root}/${folder}`)) return folder;
  throw new Error(`unreachable: delta ${deltaName(name)} was not made`);
}
