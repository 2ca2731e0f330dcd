/** The tree of a commit onto another tree. */
import { breather } from '../checkout/breath.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Stored } from '../storage/object-writer.ts';
import { type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { AddOptions } from './add-directory.ts';
import { DirMetas } from './dir-metas.ts';
import { type Modifiers, sameAttributes } from './modifiers.ts';
import { assertDepth, MutableTree, type Root } from './mutable-tree.ts';
import { Tally } from './tally.ts';

/**
 * Without modifiers only metadata are looked at; with them every object whose attributes change is stored anew.
 * @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, TARGET_EXISTS, TOO_LARGE for directories too deep
 */
export async function addCommit(
  transaction: Transaction,
  tree: MutableTree,
  root: Root,
  modifiers: Modifiers,
  options: AddOptions,
): Promise<void> {
  const source = MutableTree.of(transaction.writer.reader, root);
  if (modifiers.isNone) tree.merge(source);
  else await new Restamp(transaction, modifiers, options).directory(tree, source, []);
}

class Restamp {
  readonly #transaction: Transaction;
  readonly #modifiers: Modifiers;
  readonly #breathe: () => Promise<void> | undefined;
  readonly #metas: DirMetas;
  readonly #tally: Tally;

  constructor(transaction: Transaction, modifiers: Modifiers, options: AddOptions) {
    this.#transaction = transaction;
    this.#modifiers = modifiers;
    this.#breathe = breather(options.signal);
    this.#tally = options.tally ?? new Tally();
    this.#metas = new DirMetas(transaction.writer, this.#tally);
  }

  async directory(into: MutableTree, from: MutableTree, parts: readonly string[]): Promise<void> {
    if (from.meta === undefined) throw new Error('unreachable: a directory of a commit without attributes');
    assertDepth(parts.length);
    const path = `/${parts.join('/')}`;
    const attributes = this.#modifiers.apply(path, this.#transaction.writer.reader.dirMeta(from.meta));
    if (attributes === undefined) return;
    into.setMeta(this.#metas.put(attributes));
    for (const [name, entry] of from.entries()) {
      await this.#breathe();
      const below = `${path === '/' ? '' : path}/${name}`;
      if (typeof entry === 'string') await this.#file(into, name, entry, below);
      else if (!this.#modifiers.skips(below)) await this.directory(into.ensureDirectory(name), entry, [...parts, name]);
    }
  }

  async #file(into: MutableTree, name: string, checksum: Checksum, path: string): Promise<void> {
    const stored = this.#transaction.writer.reader.file(checksum);
    try {
      const attributes = this.#modifiers.apply(path, stored.header);
      if (attributes === undefined) return;
      if (sameAttributes(attributes, stored.header)) {
        into.putFile(name, checksum);
        return;
      }
      const header = { ...attributes, target: stored.header.target };
      const put = await this.#store(header, stored);
      this.#tally.file(put);
      into.putFile(name, put.checksum);
    } finally {
      stored.close();
    }
  }

  async #store(header: StoredFile['header'], stored: StoredFile): Promise<Stored> {
    const { writer } = this.#transaction;
    if (stored.size <= WHOLE_LIMIT) return writer.putFile(header, stored.bytes());
    const sink = writer.beginFile(header, stored.size);
    try {
      for await (const chunk of stored.chunks()) sink.write(chunk);
      return sink.finish();
    } catch (error) {
      sink.abort();
      throw error;
    }
  }
}
