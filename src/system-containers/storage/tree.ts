/** The tree of a commit as an image tree: read from the repository, nothing is checked out. */
import { CodedError, codeOf } from '../../base/error.ts';
import {
  type Checksum,
  type ObjectReader,
  objectsOf,
  type Repository,
  type StoredFile,
  WHOLE_LIMIT,
} from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree, TreeEntry } from '../image-tree.ts';

const PERMISSIONS = 0o7777;
const CAPABILITIES = 'security.capability';

/** @param commit of the merged tree @param name of the image, for messages */
export function imageTree(repository: Repository, commit: Checksum, name: string): ImageTree {
  return new StoredTree(objectsOf(repository), commit, name);
}

type Found =
  | { readonly kind: 'directory'; readonly tree: Checksum; readonly meta: Checksum }
  | { readonly kind: 'file'; readonly checksum: Checksum };

class StoredTree implements ImageTree {
  readonly name: string;
  readonly #reader: ObjectReader;
  readonly #root: { readonly tree: Checksum; readonly meta: Checksum };
  /** Directories are looked into again and again, and never change; an image may have a hundred thousand names in one. */
  readonly #folders = new Map<Checksum, ReadonlyMap<string, Found>>();

  constructor(reader: ObjectReader, commit: Checksum, name: string) {
    this.#reader = reader;
    this.name = name;
    const { rootTree, rootMeta } = this.#reading(() => reader.commit(commit));
    this.#root = { tree: rootTree, meta: rootMeta };
  }

  look(path: string): TreeEntry | undefined {
    return this.#reading(() => {
      const found = this.#find(path);
      if (found?.kind === 'file') return this.#withFile(found.checksum, entryOf);
      if (found === undefined) return undefined;
      const { mode, uid, gid, xattrs } = this.#reader.dirMeta(found.meta);
      const hasCapabilities = hasAttribute(xattrs, CAPABILITIES);
      return { type: 'directory', mode: mode & PERMISSIONS, uid, gid, size: 0, target: undefined, hasCapabilities };
    });
  }

  list(path: string): readonly string[] {
    return this.#reading(() => {
      const found = this.#find(path);
      if (found?.kind !== 'directory') return [];
      return [...this.#folder(found.tree).keys()].sort(compareBytes);
    });
  }

  read(path: string, limit: number): Uint8Array {
    return this.#reading(() =>
      this.#withFile(this.#file(path), (file) => {
        const most = Math.min(limit, WHOLE_LIMIT);
        if (file.size > most) {
          const text = `${path} in ${this.name}: ${file.size} bytes, more than the limit of ${most}`;
          throw new CodedError('TOO_LARGE', text, { subject: path });
        }
        return Buffer.from(file.bytes());
      }),
    );
  }

  withPlainFile<T>(path: string, use: (fd: number) => T): T | undefined {
    const checksum = this.#reading(() => this.#file(path));
    return this.#withFile(checksum, ({ plainFd }) => (plainFd === undefined ? undefined : use(plainFd)));
  }

  async *chunks(path: string): AsyncGenerator<Uint8Array> {
    const file = this.#reading(() => this.#reader.file(this.#file(path)));
    try {
      yield* file.chunks();
    } finally {
      file.close();
    }
  }

  /** @throws ContainerError BAD_STORED_IMAGE for anything but a regular file */
  #file(path: string): Checksum {
    const found = this.#find(path);
    if (found?.kind === 'file' && this.#withFile(found.checksum, ({ header }) => header.target === undefined)) {
      return found.checksum;
    }
    throw this.#broken(`${path}: ${found === undefined ? 'there is none' : 'is no regular file'}`);
  }

  #withFile<T>(checksum: Checksum, work: (file: StoredFile) => T): T {
    const file = this.#reader.file(checksum);
    try {
      return work(file);
    } finally {
      file.close();
    }
  }

  #find(path: string): Found | undefined {
    let at: Found = { kind: 'directory', ...this.#root };
    for (const name of path === '' ? [] : path.split('/')) {
      if (at.kind !== 'directory') return undefined;
      const next: Found | undefined = this.#folder(at.tree).get(name);
      if (next === undefined) return undefined;
      at = next;
    }
    return at;
  }

  #folder(checksum: Checksum): ReadonlyMap<string, Found> {
    const known = this.#folders.get(checksum);
    if (known !== undefined) return known;
    const { files, directories } = this.#reader.dirTree(checksum);
    const folder = new Map<string, Found>(files.map((each) => [each.name, { kind: 'file', checksum: each.checksum }]));
    for (const { name, tree, meta } of directories) folder.set(name, { kind: 'directory', tree, meta });
    this.#folders.set(checksum, folder);
    return folder;
  }

  /** What is wrong with the repository is told as what is wrong with the image. */
  #reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!/^OBJECT_/.test(codeOf(error) ?? '')) throw error;
      throw this.#broken(error instanceof Error ? error.message : 'unreadable', error);
    }
  }

  #broken(what: string, cause?: unknown): ContainerError {
    return new ContainerError('BAD_STORED_IMAGE', `image ${this.name}: ${what}`, { cause, subject: this.name });
  }
}

function entryOf({ header, size }: StoredFile): TreeEntry {
  const { mode, uid, gid, target, xattrs } = header;
  const hasCapabilities = hasAttribute(xattrs, CAPABILITIES);
  const type = target === undefined ? 'file' : 'symlink';
  return { type, mode: mode & PERMISSIONS, uid, gid, size: target === undefined ? size : 0, target, hasCapabilities };
}

function hasAttribute(xattrs: readonly (readonly [name: Uint8Array, value: Uint8Array])[], name: string): boolean {
  return xattrs.some(([each]) => Buffer.from(each).toString('latin1') === name);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
