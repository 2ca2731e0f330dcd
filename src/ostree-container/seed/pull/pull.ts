/** `pull`: the commit of an image into a repository (spec ostree-container 1.4). */
import { codeOf } from '../../../base/error.ts';
import type { Progress } from '../../../base/progress.ts';
import { quote } from '../../../base/text.ts';
import { formatImageName } from '../../../images/index.ts';
import type { Digest } from '../../../oci/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  isWhole,
  OstreeError,
  objectsOf,
  type RefChange,
  type Refspec,
  type Repository,
  readRef,
  type SignatureReport,
  type Transaction,
  type Verifier,
  withTransaction,
} from '../../../ostree/index.ts';
import { labelMismatch } from '../../labels/index.ts';
import { type CommitHead, publishCommit } from '../../stream/index.ts';
import { SeedError } from '../error.ts';
import { ContentImport } from './content-import.ts';
import { applyLayer, chooseDelta } from './delta.ts';
import { commitHead, judgeHead, readHead } from './head.ts';
import {
  type ImageLayerPlace,
  labelledCommit,
  type NamedLayers,
  namedLayers,
  type OpenedSeed,
} from './image-layers.ts';
import type { Entries } from './layer-entries.ts';
import { LayerReader } from './layer-reader.ts';
import { ImageObjects, missingContents, rebuildExternal } from './objects.ts';

export interface PullSeedOptions {
  /** Set last of all. */
  readonly ref: Refspec;
  /** Undefined: nothing is asked of signatures, which has to be somebody's wish. */
  readonly verifier: Verifier | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  readonly timeoutMs?: number | undefined;
  readonly threads?: number | undefined;
}

export interface PulledSeed {
  readonly commit: Checksum;
  /** What the ref led to before. */
  readonly before: Checksum | undefined;
  readonly signatures: readonly SignatureReport[];
  /** Layers that were read, and bytes that came for them. */
  readonly layers: readonly { readonly digest: Digest; readonly size: number }[];
  readonly bytes: number;
}

/**
 * All or nothing: signatures are judged before contents are fetched, everything is verified, and the ref is written
 * when all that the commit reaches is there.
 * @throws SeedError; StreamError STREAM_INCOMPLETE, COMMITMETA_MISSING, SIGNATURE_*; OstreeError OBJECT_*, SIGNATURE_*;
 *   OciError INVALID_DIGEST, INVALID_SIZE; what places of images throw
 */
export async function pullSeed(
  repository: Repository,
  image: OpenedSeed,
  options: PullSeedOptions,
): Promise<PulledSeed> {
  assertWritable(repository);
  const { place, ref } = placed(options.ref);
  const before = readRef(repository, place, ref);
  const reader = new LayerReader(repository, image.source, options.onProgress, options.signal);
  let ok = false;
  try {
    const work = new SeedPull(repository, image, reader, options);
    const { commit, signatures } = await work.run();
    if (before !== commit) await afterRefsChanged(repository, options);
    ok = true;
    return {
      commit,
      before,
      signatures,
      layers: reader.read.map(({ descriptor }) => descriptor),
      bytes: reader.fetched,
    };
  } finally {
    reader.end(ok);
  }
}

export function placed({ remote, ref }: Refspec): Pick<RefChange, 'place' | 'ref'> {
  return { place: remote === undefined ? HEAD : { kind: 'remote', remote }, ref };
}

export function assertWritable(repository: Repository): void {
  if (repository.mode !== 'bare-split-xattrs') return;
  throw new OstreeError('REPOSITORY_READ_ONLY', `${repository.path}: bare-split-xattrs is read only`);
}

interface Judged {
  readonly commit: Checksum;
  readonly signatures: readonly SignatureReport[];
}

const NOT_SIGNED: ReadonlySet<string | undefined> = new Set([
  'COMMITMETA_MISSING',
  'SIGNATURE_EXPIRED',
  'SIGNATURE_INVALID',
  'SIGNATURE_KEY_MISSING',
  'SIGNATURE_MISSING',
]);

class SeedPull {
  readonly #repository: Repository;
  readonly #image: OpenedSeed;
  readonly #reader: LayerReader;
  readonly #options: PullSeedOptions;
  readonly #labelled: Checksum | undefined;

  constructor(repository: Repository, image: OpenedSeed, reader: LayerReader, options: PullSeedOptions) {
    this.#repository = repository;
    this.#image = image;
    this.#reader = reader;
    this.#options = options;
    this.#labelled = labelledCommit(image);
  }

  async run(): Promise<Judged> {
    const present = await this.#present();
    if (present !== undefined) return present;
    const named = namedLayers(this.#image);
    return named === undefined ? this.#anyLayers() : this.#namedLayers(named);
  }

  /** All of it is here, with signatures that satisfy: no layer has to come. */
  async #present(): Promise<Judged | undefined> {
    const commit = this.#labelled;
    if (commit === undefined || !isWhole(this.#repository, commit)) return undefined;
    const reader = objectsOf(this.#repository);
    const head = commitHead(commit, reader.metadata(commit, 'commit'), reader.metadataIfPresent(commit, 'commitmeta'));
    try {
      const signatures = await judgeHead(head, this.#rules());
      await this.#transact((transaction) => this.#setRef(transaction, commit));
      return { commit, signatures };
    } catch (error) {
      if (NOT_SIGNED.has(codeOf(error))) return undefined; // the image may bring other signatures
      throw error;
    }
  }

  async #namedLayers(named: NamedLayers): Promise<Judged> {
    const delta = chooseDelta(this.#repository, named);
    const { metadata, contents, base } = named;
    this.#reader.start([metadata, ...(delta === undefined ? [contents, ...base] : [delta])]);
    return this.#reader.open(metadata, async (entries) => {
      const head = await readHead(entries);
      if (head === undefined) throw noCommit(this.#image);
      const signatures = await judgeHead(head, this.#rules());
      const { checksum: commit } = head;
      if (isWhole(this.#repository, commit)) await this.#publish(head);
      else if (delta !== undefined) await this.#byDelta(entries, head, delta);
      else await this.#byObjects(entries, head, named);
      return { commit, signatures };
    });
  }

  /** Only its signatures may be new. */
  #publish(head: CommitHead): Promise<void> {
    return this.#transact((transaction) => {
      publishCommit(transaction, head);
      this.#setRef(transaction, head.checksum);
    });
  }

  async #byDelta(entries: Entries, head: CommitHead, layer: ImageLayerPlace): Promise<void> {
    while ((await entries.next()) !== undefined); // a damaged layer is refused before anything is done
    await applyLayer(this.#repository, head.checksum, layer, this.#reader, this.#options);
    await this.#publish(head);
  }

  #byObjects(entries: Entries, head: CommitHead, { contents, base }: NamedLayers): Promise<void> {
    const { signal } = this.#options;
    return this.#transact(async (transaction) => {
      const objects = new ImageObjects(transaction, signal);
      await objects.addLayer(entries, undefined);
      const missing = missingContents(transaction, head);
      const external = new Map([...objects.external].filter(([checksum]) => missing.has(checksum)));
      if (missing.size > external.size) await this.#contents(transaction, objects, contents, missing.size);
      else this.#reader.skip(contents);
      const layers = base.length > 0 ? base : this.#image.layers;
      await rebuildExternal(external, { transaction, layers, reader: this.#reader, signal });
      publishCommit(transaction, head);
      this.#setRef(transaction, head.checksum);
    });
  }

  async #contents(
    transaction: Transaction,
    objects: ImageObjects,
    layer: ImageLayerPlace,
    expected: number,
  ): Promise<void> {
    const { signal, threads } = this.#options;
    const contents = new ContentImport(transaction, expected, signal, threads);
    try {
      await this.#reader.open(layer, (entries) => objects.addLayer(entries, contents));
      await contents.finish();
    } finally {
      await contents.close();
    }
  }

  /** Made by somebody else: everything is looked through, and signatures are judged at the end. */
  #anyLayers(): Promise<Judged> {
    const { layers } = this.#image;
    const { signal } = this.#options;
    this.#reader.start(layers);
    return this.#transact(async (transaction) => {
      const objects = new ImageObjects(transaction, signal);
      // How many contents will come is not known: enough of them for threads.
      for (const layer of layers) await this.#contents(transaction, objects, layer, 2000);
      if (!objects.hasConfig) throw noRepository(this.#image);
      const head = this.#chooseHead(objects);
      const signatures = await judgeHead(head, this.#rules());
      const missing = missingContents(transaction, head);
      const external = new Map([...objects.external].filter(([checksum]) => missing.has(checksum)));
      await rebuildExternal(external, { transaction, layers, reader: this.#reader, signal });
      publishCommit(transaction, head);
      this.#setRef(transaction, head.checksum);
      return { commit: head.checksum, signatures };
    });
  }

  #chooseHead(objects: ImageObjects): CommitHead {
    const named = new Set(objects.refs.values());
    const candidates =
      this.#labelled === undefined ? (named.size > 0 ? [...named] : [...objects.commits.keys()]) : [this.#labelled];
    const [only, second] = candidates;
    if (only !== undefined && second !== undefined) {
      throw new SeedError(
        'SEED_MALFORMED',
        `${this.#name}: holds several commits, and no label says which one is meant`,
      );
    }
    const head = only === undefined ? undefined : objects.head(only);
    if (head !== undefined) return head;
    const [found] = objects.commits.keys();
    if (only === undefined || found === undefined) throw noCommit(this.#image);
    throw labelMismatch(only, found);
  }

  #rules() {
    return { labelled: this.#labelled, verifier: this.#options.verifier };
  }

  #setRef(transaction: Transaction, commit: Checksum): void {
    const { place, ref } = placed(this.#options.ref);
    if (readRef(this.#repository, place, ref) !== commit) transaction.setRef({ place, ref, commit });
  }

  #transact<T>(work: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    return withTransaction(this.#repository, this.#options, async (transaction) => work(transaction));
  }

  get #name(): string {
    return formatImageName(this.#image.source.name);
  }
}

function noCommit({ source }: OpenedSeed): SeedError {
  return new SeedError('SEED_MALFORMED', `${formatImageName(source.name)}: there is no commit where one has to be`);
}

function noRepository({ source }: OpenedSeed): SeedError {
  const name = formatImageName(source.name);
  return new SeedError(
    'NO_REPOSITORY_IN_IMAGE',
    `${quote(name)}: has neither ostree/repo nor the label ostree.final-diffid`,
    {
      hint: 'an image without a commit is pulled with "ostree-container container image pull"',
      subject: name,
    },
  );
}
