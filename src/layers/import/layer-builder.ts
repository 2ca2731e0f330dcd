/** Entries of a layer's archive, in their order, to the tree of the layer. */
import { printable, quote } from '../../base/text.ts';
import {
  type Attributes,
  attributesOf,
  type FileHeader,
  type Modifiers,
  type ObjectReader,
} from '../../ostree/index.ts';
import { safePath, type TarStreamEntry } from '../../tar/index.ts';
import { LayerError } from '../error.ts';
import { followInTree } from '../follow-links.ts';
import type { Path } from '../path-rule.ts';
import { ImageObjects } from './image-objects.ts';
import { LayerDirectory, type LayerFile } from './layer-nodes.ts';
import type { ImportOptions, SkippedFile } from './options.ts';
import { ownerAccess } from './owner-access.ts';
import { type Place, Places } from './place.ts';

/** Contents go here; the checksum is set when the file is stored, which may be much later. */
export type StoreFile = (file: LayerFile, header: FileHeader, entry: TarStreamEntry, isEmpty: boolean) => Promise<void>;

export interface BuilderMeans {
  readonly store: StoreFile;
  readonly modifiers: Modifiers;
  readonly reader: ObjectReader;
  readonly maxDepth: number;
}

export class LayerBuilder {
  readonly root = new LayerDirectory();
  readonly filtered = new Map<string, number>();
  readonly skipped: SkippedFile[] = [];
  files = 0;
  whiteouts = 0;
  linksBelow = 0;
  readonly #means: BuilderMeans;
  readonly #options: ImportOptions;
  readonly #places: Places;
  readonly #objects: ImageObjects | undefined;
  /** Where devices would be: links to them are skipped, too. */
  readonly #withoutFile = new Set<string>();

  constructor(means: BuilderMeans, options: ImportOptions) {
    this.#means = means;
    this.#options = options;
    this.#places = new Places(options.paths, this.root);
    this.#objects = options.paths.hasObjects ? new ImageObjects() : undefined;
  }

  /** @throws TarError TAR_PATH; LayerError; OstreeError of the store */
  async add(entry: TarStreamEntry): Promise<void> {
    const path = safePath(entry.path);
    this.#assertDepth(path, entry);
    if (path.length === 0) this.#describeRoot(entry);
    else if (this.#objects?.owns(path, entry.type) === true) await this.#object(this.#objects, path, entry);
    else await this.#entry(this.#places.of(path), entry);
  }

  async #entry(place: Place, entry: TarStreamEntry): Promise<void> {
    if (place.kind === 'filtered') this.#filter(place.first);
    else if (place.kind === 'at') {
      this.#assertDepth(place.raw, entry); // links may lead deeper than any path says
      await this.#at(place.path, place.raw, place.isWhiteout, entry);
    }
  }

  #assertDepth(path: Path, entry: TarStreamEntry): void {
    if (path.length > this.#means.maxDepth) throw tooDeep(entry.path, this.#means.maxDepth);
  }

  async #at(path: Path, raw: Path, isWhiteout: boolean, entry: TarStreamEntry): Promise<void> {
    // Of whatever kind: an archive cannot name a file of this name in another way.
    if (isWhiteout) return this.#whiteout(path, entry);
    this.#withoutFile.delete(path.join('/'));
    switch (entry.type) {
      case 'directory':
        this.root.reach(path).attributes = this.#attributes(entry, path);
        return;
      case 'file':
      case 'symlink':
        return this.#content(path, raw, entry);
      case 'hardlink':
        return this.#link(path, raw, entry);
      default:
        this.#special(path, entry);
    }
  }

  async #whiteout(path: Path, entry: TarStreamEntry): Promise<void> {
    this.whiteouts++;
    const header = { ...this.#attributes({ ...entry, type: 'file' }, path), target: undefined };
    await this.#means.store(this.#put(path, undefined), header, entry, true);
  }

  async #content(path: Path, raw: Path, entry: TarStreamEntry): Promise<void> {
    const target = entry.type === 'symlink' ? (entry.linkTarget ?? '') : undefined;
    const file = this.#put(path, target);
    if (target !== undefined) this.#places.link(raw, file);
    this.files++;
    await this.#means.store(file, { ...this.#attributes(entry, path), target }, entry, target !== undefined);
  }

  async #object(objects: ImageObjects, path: Path, entry: TarStreamEntry): Promise<void> {
    if (!objects.isModified(entry)) return;
    const file: LayerFile = { checksum: undefined, target: undefined };
    objects.put(path, file);
    await this.#means.store(file, { ...this.#attributes(entry, path), target: undefined }, entry, false);
  }

  #link(path: Path, raw: Path, entry: TarStreamEntry): void {
    const file = this.#linked(entry);
    if (file === 'filtered') this.#filter(raw[0] ?? '');
    else if (file === 'skipped') this.#skip(path, entry);
    else if (file !== 'ignored') this.#attach(path, file);
  }

  /** The file that the target of a hard link is at this moment. */
  #linked(entry: TarStreamEntry): LayerFile | 'filtered' | 'ignored' | 'skipped' {
    const target = safePath(entry.linkTarget ?? '');
    if (this.#objects?.owns(target, undefined) === true) return this.#objects.modified(target) ?? 'ignored';
    const place = target.length === 0 ? undefined : this.#places.of(target);
    if (place === undefined || place.kind === 'ignored') throw noTarget(entry);
    if (place.kind === 'filtered') return 'filtered';
    if (this.#withoutFile.has(place.path.join('/'))) return 'skipped';
    const node = this.root.lookup(place.path);
    if (node !== undefined && !(node instanceof LayerDirectory)) return node;
    const below = this.#below(place.raw);
    if (below === undefined) throw noTarget(entry);
    this.linksBelow++;
    return below;
  }

  #below(raw: Path): LayerFile | undefined {
    const { lower, paths } = this.#options;
    if (lower === undefined) return undefined;
    const { reader } = this.#means;
    const followed = [...followInTree(raw.slice(0, -1), lower, reader, paths), raw.at(-1) ?? ''];
    const mapped = paths.map(followed);
    const found = mapped && lower.lookup(mapped);
    return typeof found === 'string' ? { checksum: found, target: undefined } : undefined;
  }

  #special(path: Path, entry: TarStreamEntry): void {
    if (this.#options.specials === 'skip') {
      this.#skip(path, entry);
      return;
    }
    throw new LayerError('LAYER_SPECIAL_FILE', `${printable(entry.path)}: is a ${entry.type}, which no tree holds`, {
      hint: 'images are imported without their devices and fifos when that is asked for',
      subject: entry.path,
    });
  }

  /** What was there before is gone all the same. */
  #skip(path: Path, { path: name, type }: TarStreamEntry): void {
    this.skipped.push({ path: name, type });
    this.#withoutFile.add(path.join('/'));
    const directory = this.root.lookup(path.slice(0, -1));
    if (directory instanceof LayerDirectory) directory.entries.delete(path.at(-1) ?? '');
  }

  #describeRoot(entry: TarStreamEntry): void {
    if (entry.type === 'directory') this.root.attributes = this.#attributes(entry, []);
    else throw new LayerError('LAYER_SPECIAL_FILE', `/: is a ${entry.type} in the archive, not a directory`);
  }

  #put(path: Path, target: string | undefined): LayerFile {
    const file: LayerFile = { checksum: undefined, target };
    this.#attach(path, file);
    return file;
  }

  #attach(path: Path, file: LayerFile): void {
    this.root.reach(path.slice(0, -1)).entries.set(path.at(-1) ?? '', file);
  }

  #attributes(entry: Parameters<typeof attributesOf>[0], path: Path): Attributes {
    const found = attributesOf(entry);
    const changed = this.#means.modifiers.apply(`/${path.join('/')}`, found) ?? found;
    return this.#options.access === 'user' ? ownerAccess(changed) : changed;
  }

  #filter(first: string): void {
    this.filtered.set(first, (this.filtered.get(first) ?? 0) + 1);
  }
}

function tooDeep(path: string, depth: number): LayerError {
  return new LayerError('LAYER_LIMIT', `${quote(path)}: more than ${depth} directories below each other`, {
    subject: path,
  });
}

function noTarget({ path, linkTarget = '' }: TarStreamEntry): LayerError {
  return new LayerError('LAYER_LINK', `${printable(path)}: no file ${quote(linkTarget)} to link to`, { subject: path });
}
