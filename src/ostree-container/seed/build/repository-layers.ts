/** The layers of the repository in an image. Objects in the order of their checksums, times 0, all of it root's. */
import fs from 'node:fs';
import {
  type Checksum,
  type MetadataType,
  type ObjectReader,
  OstreeError,
  objectsOf,
  Reach,
  type Repository,
  reachTree,
  sha256,
} from '../../../ostree/index.ts';
import { TarWriter } from '../../../tar/index.ts';
import { CONFIG, OBJECT_MAP, OSTREE, objectPath, REPO, SKELETON } from '../format/layout.ts';
import { type GzipMembers, STORED_PIECE, storedBlocks } from './gzip-members.ts';

const ROOT_OWNED = { uid: 0, gid: 0 } as const;
const CHUNK = 2 ** 20;
/** Smaller ones are packed together with the headers around them. */
const WORTHWHILE = 16 * 1024;

interface MetadataInput {
  readonly commit: Checksum;
  readonly reach: Reach;
  /** Lines of the object map. */
  readonly map: Iterable<string>;
  readonly signal: AbortSignal;
}

/**
 * Everything but contents and deltas. The commit and its signatures come first, so that who pulls can judge them
 * before anything else.
 */
export function writeMetadata(repository: Repository, members: GzipMembers, input: MetadataInput): Promise<void> {
  return withTar(members, async (tar) => {
    const { commit, reach, map, signal } = input;
    const reader = objectsOf(repository);
    await tar.folder(OSTREE);
    await tar.folder(REPO);
    await tar.file(`${REPO}/config`, Buffer.from(CONFIG));
    await tar.object(commit, 'commit', readChecked(reader, commit, 'commit'));
    const detached = reader.metadataIfPresent(commit, 'commitmeta');
    if (detached !== undefined) await tar.object(commit, 'commitmeta', detached);
    for (const name of SKELETON) await tar.folder(`${REPO}/${name}`);
    for (const name of ['refs/heads', 'delta-indexes']) await tar.tree(repository, name);
    const summary = `${repository.root}/summary`;
    if (fs.existsSync(summary)) await tar.file(`${REPO}/summary`, fs.readFileSync(summary));
    await tar.file(OBJECT_MAP, Buffer.concat([...map].map((line) => Buffer.from(line))));
    for (const [type, names] of [['dirtree', reach.dirTrees] as const, ['dirmeta', reach.dirMetas] as const]) {
      for (const checksum of [...names].sort()) {
        signal.throwIfAborted();
        await tar.object(checksum, type, readChecked(reader, checksum, type));
      }
    }
  });
}

/** Contents as the archive has them. @param contents those that the base does not have */
export function writeContents(
  repository: Repository,
  contents: readonly Checksum[],
  members: GzipMembers,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes?: ((done: number) => void) | undefined },
): Promise<void> {
  return withTar(members, async (tar) => {
    const reader = objectsOf(repository);
    for (const name of [OSTREE, REPO, `${REPO}/objects`]) await tar.folder(name);
    let done = 0;
    for (const checksum of contents.toSorted()) {
      signal.throwIfAborted();
      const { path, stats } = archived(reader, checksum);
      await tar.folderOf(objectPath(checksum, 'filez'));
      await tar.packedFile(`${REPO}/${objectPath(checksum, 'filez')}`, path, stats.size);
      done += stats.size;
      onBytes?.(done);
    }
  });
}

/** Bytes of contents as the archive has them. */
export function archivedSize(reader: ObjectReader, checksum: Checksum): number {
  return archived(reader, checksum).stats.size;
}

function archived(reader: ObjectReader, checksum: Checksum) {
  const found = reader.find(checksum, 'file');
  if (found !== undefined) return found;
  throw new OstreeError('OBJECT_MISSING', `file ${checksum}: not in the repository`, { subject: checksum });
}

/** @param folder below the repository: `deltas/ab/cdef…` */
export function writeDelta(repository: Repository, folder: string, members: GzipMembers): Promise<void> {
  return withTar(members, async (tar) => {
    for (const name of [OSTREE, REPO]) await tar.folder(name);
    await tar.tree(repository, folder);
  });
}

/** The program that serves the repository. @param size of what `chunks` brings */
export function writeWebserver(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  size: number,
  members: GzipMembers,
): Promise<void> {
  return withTar(members, async (tar) => {
    await tar.folder(OSTREE);
    await tar.program(path, chunks, size);
  });
}

export function reachOf(reader: ObjectReader, commit: Checksum): Reach {
  const reach = new Reach();
  reachTree(reader, reader.commit(commit), reach);
  return reach;
}

function readChecked(reader: ObjectReader, checksum: Checksum, type: MetadataType): Uint8Array {
  const bytes = reader.metadata(checksum, type);
  const found = sha256(bytes);
  if (found === checksum) return bytes;
  throw new OstreeError('OBJECT_CORRUPT', `${type} ${checksum}: its content gives ${found}`, { subject: checksum });
}

async function withTar(members: GzipMembers, write: (tar: RepositoryTar) => Promise<void>): Promise<void> {
  const tar = new TarWriter(members.write);
  await write(new RepositoryTar(tar, members));
  await tar.finish();
}

class RepositoryTar {
  readonly #tar: TarWriter;
  readonly #members: GzipMembers;
  readonly #folders = new Set<string>();
  readonly #room = Buffer.allocUnsafeSlow(STORED_PIECE);

  constructor(tar: TarWriter, members: GzipMembers) {
    this.#tar = tar;
    this.#members = members;
  }

  /** Once. */
  async folder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    this.#folders.add(path);
    await this.#tar.add({ ...ROOT_OWNED, path, type: 'directory', mode: 0o755 });
  }

  /** All folders above a path of the repository. */
  async folderOf(path: string): Promise<void> {
    const parts = path.split('/').slice(0, -1);
    for (const [i] of parts.entries()) await this.folder(`${REPO}/${parts.slice(0, i + 1).join('/')}`);
  }

  async object(checksum: Checksum, type: MetadataType | 'commitmeta', bytes: Uint8Array): Promise<void> {
    const path = objectPath(checksum, type);
    await this.folderOf(path);
    await this.file(`${REPO}/${path}`, bytes);
  }

  /** @param content the bytes, or the file that has them */
  file(path: string, content: Uint8Array | string, size?: number): Promise<void> {
    const entry = { ...ROOT_OWNED, path, type: 'file', mode: 0o644 } as const;
    if (typeof content !== 'string') return this.#tar.add(entry, content);
    if (size !== undefined && size <= CHUNK) return this.#tar.add({ ...entry, size }, fs.readFileSync(content));
    return this.#tar.add({ ...entry, size: size ?? 0 }, readFile(content));
  }

  /** A file that cannot be made smaller. */
  packedFile(path: string, file: string, size: number): Promise<void> {
    if (size < WORTHWHILE) return this.file(path, file, size);
    return this.#tar.add({ ...ROOT_OWNED, path, type: 'file', mode: 0o644, size }, this.#stored(file, size));
  }

  async *#stored(file: string, size: number): AsyncGenerator<Uint8Array> {
    await this.#members.beginBody();
    yield* this.#pieces(file, size);
    await this.#members.endBody(this.#blocks(file, size));
  }

  /** A file that is one piece lies in memory yet. */
  *#blocks(file: string, size: number): Generator<Uint8Array> {
    if (size <= this.#room.length) return yield* storedBlocks(this.#room.subarray(0, size));
    let at = 0;
    for (const piece of this.#pieces(file, size)) {
      at += piece.length;
      yield* storedBlocks(piece, at === size);
    }
  }

  /** In memory that is used again: a piece is valid until the next one is asked for, or the next file. */
  *#pieces(file: string, size: number): Generator<Uint8Array> {
    const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      for (let at = 0; at < size; ) {
        const count = fs.readSync(fd, this.#room, 0, Math.min(this.#room.length, size - at), at);
        if (count === 0) return; // shorter than it was, which the archive notices
        at += count;
        yield this.#room.subarray(0, count);
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  program(path: string, chunks: AsyncIterable<Uint8Array>, size: number): Promise<void> {
    return this.#tar.add({ ...ROOT_OWNED, path, type: 'file', mode: 0o755, size }, chunks);
  }

  /** A folder of the repository with all that is in it, by name; nothing where there is none. */
  async tree(repository: Repository, folder: string): Promise<void> {
    const root = `${repository.root}/${folder}`;
    if (!fs.existsSync(root)) return;
    const names = fs.readdirSync(root, { recursive: true, withFileTypes: true });
    const paths = names.map((entry) => `${folder}${`${entry.parentPath}/${entry.name}`.slice(root.length)}`);
    for (const path of paths.sort()) {
      const stats = fs.lstatSync(`${repository.root}/${path}`);
      await this.folderOf(path);
      if (stats.isDirectory()) await this.folder(`${REPO}/${path}`);
      else await this.file(`${REPO}/${path}`, `${repository.root}/${path}`, stats.size);
    }
  }
}

function readFile(path: string): AsyncIterable<Uint8Array> {
  return fs.createReadStream(path, { highWaterMark: CHUNK });
}
