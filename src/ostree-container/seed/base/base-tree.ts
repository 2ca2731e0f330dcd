/**
 * The files of a base image, each as the object that it would be: what has the same checksum is the same content with
 * the same mode, owner and attributes. Nothing is stored but names.
 */
import { createHash } from 'node:crypto';
import type { Digest } from '../../../oci/index.ts';
import {
  type Checksum,
  encodeFileHeader,
  type FileHeader,
  S_IFLNK,
  S_IFREG,
  type Xattrs,
} from '../../../ostree/index.ts';
import { readTar, safePath, type TarStreamEntry, type TarXattr } from '../../../tar/index.ts';
import { SeedError } from '../error.ts';

export interface BaseDirectory {
  readonly kind: 'directory';
  /** Undefined: no layer says. */
  attributes:
    | { readonly mode: number; readonly uid: number; readonly gid: number; readonly xattrs: Xattrs }
    | undefined;
  readonly entries: Map<string, BaseNode>;
}

export interface BaseFile {
  readonly kind: 'file';
  readonly checksum: Checksum;
  readonly header: FileHeader;
  readonly layer: Digest;
  /** The entry of the layer, from `/` on: that of the target for a hard link. */
  readonly source: string;
}

/** A device or a fifo, which no commit has. */
export type BaseNode = BaseDirectory | BaseFile | { readonly kind: 'other' };

/** A hundred times what an image of a distribution has. */
const MOST_ENTRIES = 5_000_000;
/** Links through links, as the kernel counts them. */
const MOST_LINKS = 40;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

export class BaseTree {
  readonly root: BaseDirectory = emptyDirectory();
  #count = 0;

  /**
   * The next layer, the lowest first.
   * @param tar uncompressed; read to its end
   * @throws TarError; SeedError SEED_LIMIT
   */
  async add(layer: Digest, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const added = new WeakSet<object>();
    for await (const entry of readTar(tar)) {
      signal.throwIfAborted();
      if (++this.#count > MOST_ENTRIES) throw new SeedError('SEED_LIMIT', `base: more than ${MOST_ENTRIES} entries`);
      await this.#apply(entry, layer, added);
    }
  }

  async #apply(entry: TarStreamEntry, layer: Digest, added: WeakSet<object>): Promise<void> {
    const path = safePath(entry.path);
    const name = path.at(-1);
    if (name === undefined) {
      if (entry.type === 'directory') this.root.attributes = attributesOf(entry);
      return;
    }
    const parent = this.#directory(path.slice(0, -1), added);
    if (name === OPAQUE) {
      for (const [each, node] of parent.entries) if (!isAdded(node, added)) parent.entries.delete(each);
    } else if (name.startsWith(WHITEOUT)) {
      const hidden = name.slice(WHITEOUT.length);
      const node = parent.entries.get(hidden);
      if (node !== undefined && !added.has(node)) parent.entries.delete(hidden);
    } else {
      const before = parent.entries.get(name);
      const node = await this.#node(entry, before, layer, `/${path.join('/')}`);
      added.add(node);
      parent.entries.set(name, node);
    }
  }

  async #node(entry: TarStreamEntry, before: BaseNode | undefined, layer: Digest, path: string): Promise<BaseNode> {
    switch (entry.type) {
      case 'directory': {
        const directory = before?.kind === 'directory' ? before : emptyDirectory();
        directory.attributes = attributesOf(entry);
        return directory;
      }
      case 'file':
      case 'symlink':
        return fileOf(entry, layer, path);
      case 'hardlink': {
        const target = this.#find(safePath(entry.linkTarget ?? ''));
        return target?.kind === 'file' ? { ...target } : { kind: 'other' };
      }
      default:
        return { kind: 'other' };
    }
  }

  /** What unpacking would write into: links are followed, what is missing is made. */
  #directory(path: readonly string[], added: WeakSet<object>): BaseDirectory {
    let at = this.root;
    let left = [...path];
    let links = 0;
    const trail: string[] = [];
    while (left.length > 0) {
      const [name = '', ...rest] = left;
      left = rest;
      const node = at.entries.get(name);
      if (node?.kind === 'directory') {
        at = node;
        trail.push(name);
      } else if (node?.kind === 'file' && node.header.target !== undefined && links++ < MOST_LINKS) {
        left = [...resolveLink(trail, node.header.target), ...rest];
        trail.length = 0;
        at = this.root;
      } else {
        const made = emptyDirectory();
        added.add(made);
        at.entries.set(name, made);
        at = made;
        trail.push(name);
      }
    }
    return at;
  }

  #find(path: readonly string[]): BaseNode | undefined {
    let at: BaseNode | undefined = this.root;
    for (const name of path) at = at?.kind === 'directory' ? at.entries.get(name) : undefined;
    return at;
  }
}

function emptyDirectory(): BaseDirectory {
  return { kind: 'directory', attributes: undefined, entries: new Map() };
}

/** Of the layer that is being added: what it brings it does not take away. */
function isAdded(node: BaseNode, added: WeakSet<object>): boolean {
  return (
    added.has(node) || (node.kind === 'directory' && [...node.entries.values()].some((each) => isAdded(each, added)))
  );
}

function attributesOf({ mode, uid, gid, xattrs }: TarStreamEntry) {
  return { mode, uid, gid, xattrs: xattrsOf(xattrs) };
}

export function xattrsOf(xattrs: readonly TarXattr[]): Xattrs {
  return xattrs.map(([name, value]) => [Buffer.from(name), Uint8Array.from(value)] as const);
}

async function fileOf(entry: TarStreamEntry, layer: Digest, source: string): Promise<BaseFile> {
  const { uid, gid, mode, linkTarget } = entry;
  const xattrs = xattrsOf(entry.xattrs);
  const header: FileHeader =
    entry.type === 'symlink'
      ? { uid, gid, mode: S_IFLNK | 0o777, target: linkTarget, xattrs }
      : { uid, gid, mode: S_IFREG | mode, target: undefined, xattrs };
  const hash = createHash('sha256').update(encodeFileHeader(header));
  for await (const chunk of entry.data()) hash.update(chunk);
  return { kind: 'file', checksum: hash.digest('hex'), header, layer, source };
}

function resolveLink(trail: readonly string[], target: string): string[] {
  const path = target.startsWith('/') ? [] : [...trail];
  for (const part of target.split('/')) {
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  }
  return path;
}
