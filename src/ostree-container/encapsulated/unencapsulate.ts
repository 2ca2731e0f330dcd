/**
 * The commit of an image of format v1, bit for bit (spec ostree-container 2.6). Its first layer is judged before
 * anything is written; the commit itself is held back until all that it reaches is here.
 */

import { inLanes } from '../../base/lanes.ts';
import { type Progress, silent } from '../../base/progress.ts';
import { formatImageName, type Images } from '../../images/index.ts';
import type { OpenLayer } from '../../layers/index.ts';
import type { Digest } from '../../oci/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  objectsOf,
  type Pool,
  parseRefspec,
  type Refspec,
  type Repository,
  type SignatureReport,
  type Transaction,
  type TransactionOptions,
  type Verifier,
  withTransaction,
} from '../../ostree/index.ts';
import { Fetching, importComponent, LANES, LayerRecords, openLayerPool } from '../fetching/index.ts';
import { assertCommitLabel, type Layer } from '../labels/index.ts';
import {
  type CommitHead,
  type ImportedObjects,
  importObjects,
  ObjectStream,
  publishCommit,
  readHead,
  verifyHead,
} from '../stream/index.ts';
import type { CommitLayers } from './image-parts.ts';
import {
  missingComponents,
  presentCommit,
  type ReceivedImage,
  type ReceiveOptions,
  receiveImage,
  verifierOfTrust,
} from './received-image.ts';

export interface UnencapsulateOptions extends ReceiveOptions, Omit<TransactionOptions, 'dryRun'> {
  readonly images: Pick<Images, 'source'>;
  /** `REF` or `REMOTE:REF`, set last of all. */
  readonly ref?: string | undefined;
  /** Instead of what the reference asks for. */
  readonly verifier?: Verifier | undefined;
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  readonly onProgress?: Progress | undefined;
}

export interface LayerState {
  readonly digest: Digest;
  readonly size: number;
  /** Nothing of it has to be fetched. */
  readonly isThere: boolean;
}

export interface UnencapsulatePlan {
  /** As the image says. */
  readonly commit: string | undefined;
  readonly manifestDigest: Digest;
  readonly layers: readonly LayerState[];
  /** Of the layers that would be fetched. */
  readonly bytes: number;
}

export interface Unencapsulated {
  readonly commit: Checksum;
  readonly manifestDigest: Digest;
  /** Empty when nothing had to be verified. */
  readonly signatures: readonly SignatureReport[];
  /** As they were before. */
  readonly layers: readonly LayerState[];
  readonly fetchedBytes: number;
  /** Contents that the repository did not have, and their bytes. */
  readonly newContents: number;
  readonly newBytes: number;
}

/** What would be fetched; nothing is written. @throws as `unencapsulate`, except for what layers make it throw */
export async function planUnencapsulate(
  repository: Repository,
  options: Omit<UnencapsulateOptions, 'ref'>,
): Promise<UnencapsulatePlan> {
  const { images, reference, signal } = options;
  const verifier = options.verifier ?? (await verifierOfTrust(repository, reference.trust));
  const source = await images.source(reference.image, signal);
  try {
    const { manifest, layers } = await receiveImage(source, options);
    const isHere = (await presentCommit(repository, layers, verifier)) !== undefined;
    const missing = isHere ? [] : missingComponents(layers, new LayerRecords(repository), objectsOf(repository));
    const states = statesOf(layers, isHere ? [] : [layers.base, ...missing]);
    const bytes = states.reduce((sum, { size, isThere }) => sum + (isThere ? 0 : size), 0);
    return { commit: layers.commit, manifestDigest: manifest.digest, layers: states, bytes };
  } finally {
    await source.close();
  }
}

/**
 * All or nothing, but contents that were fetched stay for the next run, which then does not fetch their layers.
 * @throws EncapsulatedError; StreamError, also for signatures; OstreeError SIGNATURE_*, OBJECT_*, REMOTE_UNKNOWN,
 *   REF_NAME, REPOSITORY_READ_ONLY; OciError INVALID_DIGEST ...; ImagesError; RegistryError; TarError
 */
export async function unencapsulate(repository: Repository, options: UnencapsulateOptions): Promise<Unencapsulated> {
  const { images, reference, signal } = options;
  const refspec = options.ref === undefined ? undefined : parseRefspec(options.ref);
  const verifier = options.verifier ?? (await verifierOfTrust(repository, reference.trust));
  const source = await images.source(reference.image, signal);
  try {
    const received = await receiveImage(source, options);
    const present = await presentCommit(repository, received.layers, verifier);
    const { commit, signatures, ...counts } =
      present === undefined
        ? await fetchCommit(repository, received, verifier, refspec, options)
        : await setRef(repository, present, received, refspec, options);
    new LayerRecords(repository).keep(received.layers.components);
    if (refspec !== undefined) await afterRefsChanged(repository, options);
    return { commit, manifestDigest: received.manifest.digest, signatures, ...counts };
  } finally {
    await source.close();
  }
}

type Fetched = Omit<Unencapsulated, 'manifestDigest'>;

async function setRef(
  repository: Repository,
  { head: { checksum }, signatures }: { readonly head: CommitHead; readonly signatures: readonly SignatureReport[] },
  { layers }: ReceivedImage,
  refspec: Refspec | undefined,
  options: UnencapsulateOptions,
): Promise<Fetched> {
  if (refspec !== undefined) {
    await withTransaction(repository, options, async (transaction) => moveRef(transaction, refspec, checksum));
  }
  return { commit: checksum, signatures, layers: statesOf(layers, []), fetchedBytes: 0, newContents: 0, newBytes: 0 };
}

async function fetchCommit(
  repository: Repository,
  received: ReceivedImage,
  verifier: Verifier | undefined,
  refspec: Refspec | undefined,
  options: UnencapsulateOptions,
): Promise<Fetched> {
  const { layers, source } = received;
  const { signal, onProgress = silent } = options;
  const task = `import ${formatImageName(options.reference.image)}`;
  const fetching = new Fetching({ source, task, onProgress });
  const base = fetching.open(layers.base, signal);
  const stream = new ObjectStream(base.tar);
  let ok = false;
  try {
    const head = await base.during(() => readHead(stream));
    assertCommitLabel(layers.commit, head.checksum);
    const signatures = verifier?.isRequired === true ? await verifyHead(head, verifier) : [];
    const fetched = await withTransaction(repository, options, async (transaction) => {
      const importing = new Importing(transaction, fetching, options);
      const missing = importing.missing(layers);
      await importing.all({ layer: layers.base, opened: base, stream }, missing, layers.components.length + 1);
      publishCommit(transaction, head, importing.contents);
      if (refspec !== undefined) moveRef(transaction, refspec, head.checksum);
      const { newContents, newBytes } = importing;
      return { layers: statesOf(layers, [layers.base, ...missing]), newContents, newBytes };
    });
    ok = true;
    return { commit: head.checksum, signatures, ...fetched, fetchedBytes: fetching.bytes };
  } finally {
    fetching.end(ok);
    await stream.close();
    await base.close();
  }
}

interface OpenBase {
  readonly layer: Layer;
  readonly opened: OpenLayer;
  readonly stream: ObjectStream;
}

/** The layers of one image on their way into one transaction. */
class Importing {
  readonly contents = new Set<Checksum>();
  newContents = 0;
  newBytes = 0;
  readonly #transaction: Transaction;
  readonly #fetching: Fetching;
  readonly #records: LayerRecords;
  readonly #options: UnencapsulateOptions;

  constructor(transaction: Transaction, fetching: Fetching, options: UnencapsulateOptions) {
    this.#transaction = transaction;
    this.#fetching = fetching;
    this.#records = new LayerRecords(transaction.repository);
    this.#options = options;
  }

  missing(layers: CommitLayers): readonly Layer[] {
    return missingComponents(layers, this.#records, this.#transaction.writer.reader);
  }

  /** The rest of the first layer, which is open already, and the missing ones. */
  async all(base: OpenBase, missing: readonly Layer[], of: number): Promise<void> {
    const fetched = [base.layer, ...missing];
    this.#fetching.begin(
      fetched.map(({ descriptor }) => descriptor),
      of,
    );
    const pool = openLayerPool(this.#transaction, fetched, this.#options.threads);
    try {
      await inLanes(fetched, LANES, this.#options.signal, async (layer, signal) => {
        this.#add(await (layer === base.layer ? this.#base(base, pool, signal) : this.#component(layer, pool, signal)));
      });
    } finally {
      await pool.close();
    }
  }

  #base({ opened, stream }: OpenBase, pool: Pool, signal: AbortSignal): Promise<ImportedObjects> {
    return opened.during(() => importObjects(this.#transaction, stream, { layer: 'base', pool, signal }));
  }

  #component(layer: Layer, pool: Pool, signal: AbortSignal): Promise<ImportedObjects> {
    const means = { fetching: this.#fetching, records: this.#records, pool, signal };
    return importComponent(this.#transaction, layer, means);
  }

  #add({ contents, newContents, newBytes }: ImportedObjects): void {
    for (const checksum of contents) this.contents.add(checksum);
    this.newContents += newContents;
    this.newBytes += newBytes;
  }
}

function moveRef(transaction: Transaction, { remote, ref }: Refspec, commit: Checksum): void {
  transaction.setRef({ place: remote === undefined ? HEAD : { kind: 'remote', remote }, ref, commit });
}

function statesOf({ base, components }: CommitLayers, missing: readonly Layer[]): LayerState[] {
  return [base, ...components].map((layer) => {
    const { digest, size } = layer.descriptor;
    return { digest, size, isThere: !missing.includes(layer) };
  });
}
