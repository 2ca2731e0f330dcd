/** The entries of a layer, one at a time, with what they are for a repository. */
import { quote } from '../../../base/text.ts';
import { type Checksum, isChecksum } from '../../../ostree/index.ts';
import { safePath, type TarStreamEntry } from '../../../tar/index.ts';
import { SeedError } from '../error.ts';

export type RepositoryEntry =
  | { readonly kind: 'object'; readonly type: ObjectType; readonly checksum: Checksum }
  | { readonly kind: 'config' }
  | { readonly kind: 'map' }
  /** Below `deltas`. */
  | { readonly kind: 'delta'; readonly parts: readonly string[] }
  | { readonly kind: 'ref'; readonly ref: string }
  | { readonly kind: 'other' };

export type ObjectType = 'commit' | 'commitmeta' | 'dirtree' | 'dirmeta' | 'filez';

const TYPES: ReadonlySet<string> = new Set<ObjectType>(['commit', 'commitmeta', 'dirtree', 'dirmeta', 'filez']);
const OTHER: RepositoryEntry = { kind: 'other' };

/** @throws TarError TAR_PATH; SeedError SEED_MALFORMED for an object that is no regular file */
export function repositoryEntry({ path, type }: TarStreamEntry): RepositoryEntry {
  const [top, second, ...parts] = safePath(path);
  if (top !== 'ostree' || type === 'directory') return OTHER;
  const found = second === 'repo' ? below(parts) : second === 'object-map' ? ({ kind: 'map' } as const) : OTHER;
  if (found.kind === 'other' || type === 'file') return found;
  throw new SeedError('SEED_MALFORMED', `${quote(path)}: expected a regular file, found a ${type}`, { subject: path });
}

function below(parts: readonly string[]): RepositoryEntry {
  const [folder, first = '', second = '', ...more] = parts;
  if (folder === 'config' && parts.length === 1) return { kind: 'config' };
  if (folder === 'objects' && more.length === 0) return objectOf(first, second);
  if (folder === 'deltas' && parts.length === 4) return { kind: 'delta', parts: parts.slice(1) };
  if (folder === 'refs' && first === 'heads' && second !== '') return { kind: 'ref', ref: [second, ...more].join('/') };
  return OTHER;
}

/** What has no object's name is nothing that anybody would look for. */
function objectOf(fanout: string, name: string): RepositoryEntry {
  const checksum = fanout + name.slice(0, 62);
  const extension = name.slice(63);
  if (fanout.length !== 2 || name[62] !== '.' || !isChecksum(checksum) || !TYPES.has(extension)) return OTHER;
  return { kind: 'object', type: extension as ObjectType, checksum };
}

/** Entries of a tar with one step back: an entry can be looked at and left to somebody else. */
export class Entries {
  readonly #iterator: AsyncIterator<TarStreamEntry>;
  #back: TarStreamEntry | undefined;

  constructor(entries: AsyncIterable<TarStreamEntry>) {
    this.#iterator = entries[Symbol.asyncIterator]();
  }

  async next(): Promise<TarStreamEntry | undefined> {
    const back = this.#back;
    this.#back = undefined;
    if (back !== undefined) return back;
    const step = await this.#iterator.next();
    return step.done === true ? undefined : step.value;
  }

  giveBack(entry: TarStreamEntry): void {
    this.#back = entry;
  }

  /** Before its end: what was not read is not verified. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** The whole content of a small entry. @throws SeedError SEED_LIMIT */
export async function readWhole(entry: TarStreamEntry, limit: number): Promise<Uint8Array> {
  if (entry.size > limit) {
    const text = `${quote(entry.path)}: ${entry.size} bytes, more than the limit of ${limit}`;
    throw new SeedError('SEED_LIMIT', text, { subject: entry.path });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.data()) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
