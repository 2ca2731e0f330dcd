/** Objects of an image on their way into a transaction, whatever layer they are in. */
import { type Checksum, OstreeError, Reach, reachTree, type Transaction } from '../../../ostree/index.ts';
import type { TarStreamEntry } from '../../../tar/index.ts';
import { type CommitHead, putTreeObject } from '../../stream/index.ts';
import { SeedError } from '../error.ts';
import { type ExternalFile, isMapHead, readObjectMap } from '../format/object-map.ts';
import { ContentImport } from './content-import.ts';
import { assertArchive, commitHead } from './head.ts';
import type { ImageLayerPlace } from './image-layers.ts';
import { type Entries, readWhole, repositoryEntry } from './layer-entries.ts';
import type { LayerReader } from './layer-reader.ts';

const METADATA_BYTES = 10 * 2 ** 20;
const CONFIG_BYTES = 2 ** 16;
const REF_BYTES = 256;
/** Commits of an image are kept in memory until one of them is known to be the right one. */
const MOST_COMMITS = 1000;

export class ImageObjects {
  readonly commits = new Map<Checksum, Uint8Array>();
  readonly detached = new Map<Checksum, Uint8Array>();
  readonly refs = new Map<string, Checksum>();
  /** What is not in the repository of the image, and not here either. */
  readonly external = new Map<Checksum, ExternalFile>();
  hasConfig = false;
  readonly #transaction: Transaction;
  readonly #signal: AbortSignal;

  constructor(transaction: Transaction, signal: AbortSignal) {
    this.#transaction = transaction;
    this.#signal = signal;
  }

  /** @param contents where `.filez` go, undefined: they are passed over */
  async addLayer(entries: Entries, contents: ContentImport | undefined): Promise<void> {
    for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
      this.#signal.throwIfAborted();
      await this.#add(entry, contents);
    }
  }

  /** The one that was read with its signatures, or found among all. */
  head(checksum: Checksum): CommitHead | undefined {
    const bytes = this.commits.get(checksum);
    return bytes === undefined ? undefined : commitHead(checksum, bytes, this.detached.get(checksum));
  }

  async #add(entry: TarStreamEntry, contents: ContentImport | undefined): Promise<void> {
    const found = repositoryEntry(entry);
    switch (found.kind) {
      case 'config':
        assertArchive(await readWhole(entry, CONFIG_BYTES));
        this.hasConfig = true;
        return;
      case 'map':
        return this.#map(entry);
      case 'ref':
        this.refs.set(
          found.ref,
          Buffer.from(await readWhole(entry, REF_BYTES))
            .toString('latin1')
            .trim(),
        );
        return;
      case 'object':
        if (found.type === 'filez') return this.#content(found.checksum, entry, contents);
        return this.#metadata(found.type, found.checksum, await readWhole(entry, METADATA_BYTES));
      default:
    }
  }

  async #content(checksum: Checksum, entry: TarStreamEntry, contents: ContentImport | undefined): Promise<void> {
    if (contents === undefined || contents.stored.has(checksum)) return;
    if (!this.#transaction.writer.reader.has(checksum, 'file')) await contents.addArchived(checksum, entry);
  }

  #metadata(type: 'commit' | 'commitmeta' | 'dirtree' | 'dirmeta', checksum: Checksum, bytes: Uint8Array): void {
    if (type === 'commitmeta') this.detached.set(checksum, bytes);
    else if (type === 'commit') this.commits.set(checksum, bytes);
    else this.#tree(type, checksum, bytes);
    if (this.commits.size > MOST_COMMITS || this.detached.size > MOST_COMMITS) {
      throw new SeedError('SEED_LIMIT', `the repository of the image has more than ${MOST_COMMITS} commits`);
    }
  }

  #tree(type: 'dirtree' | 'dirmeta', checksum: Checksum, bytes: Uint8Array): void {
    putTreeObject(this.#transaction.writer, type, checksum, bytes);
  }

  async #map(entry: TarStreamEntry): Promise<void> {
    const { reader } = this.#transaction.writer;
    for await (const line of readObjectMap(entry.data())) {
      if (isMapHead(line) || line.external === undefined || line.target !== undefined) continue;
      const before = this.external.get(line.object);
      if (before?.layer !== undefined || (before === undefined && reader.has(line.object, 'file'))) continue;
      if (before === undefined || line.external.layer !== undefined) this.external.set(line.object, line.external);
    }
  }
}

/** Contents that the commit needs and nobody has yet. A tree that is missing ends the pull later, by its name. */
export function missingContents(transaction: Transaction, { commit }: CommitHead): Set<Checksum> {
  const { reader } = transaction.writer;
  const reach = new Reach();
  reachTree(reader, commit, reach, () => undefined);
  return new Set([...reach.files].filter((checksum) => !reader.has(checksum, 'file')));
}

interface ExternalInput {
  readonly transaction: Transaction;
  readonly layers: readonly ImageLayerPlace[];
  readonly reader: LayerReader;
  readonly signal: AbortSignal;
}

/**
 * Objects made again out of files of the layers below; each must give its checksum.
 * @throws OstreeError OBJECT_CORRUPT
 */
export async function rebuildExternal(
  wanted: ReadonlyMap<Checksum, ExternalFile>,
  { transaction, layers, reader, signal }: ExternalInput,
): Promise<void> {
  const left = new Map(wanted);
  for (const layer of layers) {
    const here = new Map<string, Checksum>();
    for (const [checksum, { layer: named, source }] of left) {
      if (named === undefined || named === layer.diffId) here.set(source, checksum);
    }
    if (here.size === 0) continue;
    const contents = new ContentImport(transaction, 0, signal);
    try {
      await reader.open(layer, async (entries) => {
        for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
          const checksum = entry.type === 'file' ? here.get(`/${plainPath(entry.path)}`) : undefined;
          const file = checksum === undefined ? undefined : left.get(checksum);
          if (checksum === undefined || file === undefined) continue;
          if (await rebuilt(contents, checksum, file, entry)) left.delete(checksum);
        }
      });
      await contents.finish();
    } finally {
      await contents.close();
    }
  }
}

/** A layer that nobody named may have another file of that name. */
async function rebuilt(
  contents: ContentImport,
  checksum: Checksum,
  { header, layer }: ExternalFile,
  entry: TarStreamEntry,
): Promise<boolean> {
  try {
    await contents.addPlain(checksum, header, entry);
    return true;
  } catch (error) {
    if (layer !== undefined || !(error instanceof OstreeError) || error.code !== 'OBJECT_CORRUPT') throw error;
    return false;
  }
}

function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
