/** Files of a commit as a program that runs in its tree would find them: links are followed, `/etc` is `/usr/etc`. */
import { codeOf } from '../../base/error.ts';
import { type Commit, findEntry, type ObjectReader, type StoredFile } from '../../ostree/index.ts';

export type TreeRoot = Pick<Commit, 'rootTree' | 'rootMeta'>;

/** As many as Linux follows. */
const MOST_LINKS = 40;

export class TreeFiles {
  readonly #reader: ObjectReader;
  readonly #root: TreeRoot;

  constructor(reader: ObjectReader, root: TreeRoot) {
    this.#reader = reader;
    this.#root = root;
  }

  /** Undefined when there is nothing, or no regular file, at the end of the path. The caller closes it. */
  open(path: string): StoredFile | undefined {
    let rest = path.split('/').filter((name) => name !== '' && name !== '.');
    let at: string[] = [];
    for (let links = 0; rest.length > 0; ) {
      const [name = '', ...others] = rest;
      rest = others;
      if (name === '..') {
        at = at.slice(0, -1);
        continue;
      }
      const entry = this.#find([...at, name]);
      if (entry === undefined) return undefined;
      if (entry === 'directory') {
        at = [...at, name];
        continue;
      }
      const { target } = entry.header;
      if (target === undefined) {
        if (rest.length === 0) return entry;
        entry.close();
        return undefined;
      }
      entry.close();
      links += 1;
      if (links > MOST_LINKS) return undefined;
      if (target.startsWith('/')) at = [];
      rest = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
    }
    return undefined;
  }

  #find(path: readonly string[]): StoredFile | 'directory' | undefined {
    const found = this.#entry(path) ?? (path[0] === 'etc' ? this.#entry(['usr', ...path]) : undefined);
    if (found === undefined) return undefined;
    return found.kind === 'directory' ? 'directory' : this.#reader.file(found.checksum);
  }

  #entry(path: readonly string[]): ReturnType<typeof findEntry> | undefined {
    try {
      return findEntry(this.#reader, this.#root, path.join('/'));
    } catch (error) {
      if (codeOf(error) === 'PATH_MISSING') return undefined;
      throw error;
    }
  }
}

/** Undefined when it is larger. Closes the file. */
export async function wholeContent(file: StoredFile, limit: number): Promise<Uint8Array | undefined> {
  try {
    if (file.size > limit) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.chunks()) chunks.push(Uint8Array.from(chunk));
    return Buffer.concat(chunks);
  } finally {
    file.close();
  }
}
