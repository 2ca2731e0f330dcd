/** A root file system on the disk against what the repository says of its image. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import {
  type Checksum,
  diskFolder,
  encodeFileHeader,
  type Folder,
  type FolderEntry,
  type ObjectReader,
  objectsOf,
  type Repository,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type TransactionOptions,
} from '../../ostree/index.ts';
import { mergedCommit } from './merged.ts';
import type { StoredImage } from './stored-image.ts';

export interface FileProblem {
  /** From the root of the file system: `/etc/x`. */
  readonly path: string;
  /** `content`: or an extended attribute, or owner and mode of a file that is one with the repository's. */
  readonly problem: 'missing' | 'unexpected' | 'type' | 'owner' | 'mode' | 'content';
}

const CHUNK = 2 ** 20;

/**
 * Every file is read, also those that are one with the repository's own: in those a change damages both. In the
 * repository of an ordinary user owners and modes are not those of the image, and only contents are compared.
 * @param rootfs links in it are not followed @throws as `mergedCommit`; OstreeError OBJECT_MISSING
 */
export async function verifyDeployment(
  repository: Repository,
  image: StoredImage,
  rootfs: string,
  options: TransactionOptions,
): Promise<readonly FileProblem[]> {
  const commit = await mergedCommit(repository, image, options);
  const reader = objectsOf(repository);
  const verification = new DeploymentCheck(reader, repository.mode === 'bare', options.signal);
  verification.directory(reader.commit(commit).rootTree, rootfs, '');
  return verification.found;
}

class DeploymentCheck {
  readonly found: FileProblem[] = [];
  readonly #reader: ObjectReader;
  readonly #hasAttributes: boolean;
  readonly #signal: AbortSignal;

  constructor(reader: ObjectReader, hasAttributes: boolean, signal: AbortSignal) {
    this.#reader = reader;
    this.#hasAttributes = hasAttributes;
    this.#signal = signal;
  }

  directory(tree: Checksum, disk: string, path: string): void {
    this.#signal.throwIfAborted();
    const { files, directories } = this.#reader.dirTree(tree);
    const folder: Folder = diskFolder(disk, { ignoreXattrs: false, uid: undefined, gid: undefined });
    const there = new Map(folder.list().map((entry) => [entry.name, entry]));
    for (const { name, checksum } of files) {
      this.#file(checksum, this.#take(there, name, `${path}/${name}`), `${disk}/${name}`, `${path}/${name}`);
    }
    for (const { name, tree: inner, meta } of directories) {
      const [onDisk, shown] = [`${disk}/${name}`, `${path}/${name}`];
      const entry = this.#take(there, name, shown);
      if (entry === undefined) continue;
      if (!entry.isDirectory) this.#tell(shown, 'type');
      else {
        this.#attributes(meta, entry, onDisk, shown);
        this.directory(inner, onDisk, shown);
      }
    }
    for (const name of there.keys()) this.#tell(`${path}/${name}`, 'unexpected');
  }

  #take(there: Map<string, FolderEntry>, name: string, path: string): FolderEntry | undefined {
    const entry = there.get(name);
    if (entry === undefined) this.#tell(path, 'missing');
    there.delete(name);
    return entry;
  }

  #file(checksum: Checksum, entry: FolderEntry | undefined, disk: string, path: string): void {
    if (entry === undefined) return;
    if (this.#hasAttributes && entry.checksum() === checksum) return;
    const file = this.#reader.file(checksum);
    try {
      const { header } = file;
      const stats = fs.lstatSync(disk);
      if ((stats.mode & S_IFMT) !== (header.target === undefined ? S_IFREG : S_IFLNK)) this.#tell(path, 'type');
      else if (!this.#hasAttributes) {
        if (contentChecksumOf(disk, header) !== checksum) this.#tell(path, 'content');
      } else if (stats.uid !== header.uid || stats.gid !== header.gid) this.#tell(path, 'owner');
      else if (stats.mode !== header.mode) this.#tell(path, 'mode');
      else this.#tell(path, 'content');
    } finally {
      file.close();
    }
  }

  #attributes(meta: Checksum, entry: FolderEntry, disk: string, path: string): void {
    if (!this.#hasAttributes || entry.checksum() === meta) return;
    const expected = this.#reader.dirMeta(meta);
    const { uid, gid, mode } = fs.lstatSync(disk);
    if (uid !== expected.uid || gid !== expected.gid) this.#tell(path, 'owner');
    else this.#tell(path, mode === expected.mode ? 'content' : 'mode');
  }

  #tell(path: string, problem: FileProblem['problem']): void {
    this.found.push({ path, problem });
  }
}

/** As if it had the attributes that the repository knows. */
function contentChecksumOf(path: string, header: Parameters<typeof encodeFileHeader>[0]): Checksum {
  if (header.target !== undefined) {
    const target = fs.readlinkSync(path);
    return crypto
      .createHash('sha256')
      .update(encodeFileHeader({ ...header, target }))
      .digest('hex');
  }
  const hash = crypto.createHash('sha256').update(encodeFileHeader(header));
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const room = Buffer.allocUnsafe(CHUNK);
    for (let count = fs.readSync(fd, room); count > 0; count = fs.readSync(fd, room))
      hash.update(room.subarray(0, count));
    return hash.digest('hex');
  } finally {
    fs.closeSync(fd);
  }
}
