/**
 * Which contents a layer brings, remembered in the repository below `extensions/tako/layers/`: a layer whose contents
 * are all here need not be fetched, after a run that was killed or for the next version of an image. It says nothing
 * about contents that the repository does not have, so it may be lost or too old, and is believed for no object.
 *
 * Shape of a file: the sha256 of the rest, then the checksums of the contents, 32 bytes each. Its name is the diff id,
 * which survives conversions of the image.
 */
import fs from 'node:fs';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { writeAll } from '../../linux/files/write.ts';
import { type Digest, digestOf, splitDigest } from '../../oci/index.ts';
import type { Checksum, ObjectReader, Repository } from '../../ostree/index.ts';

const FOLDERS = ['extensions', 'tako', 'layers'] as const;
const LENGTH = 32;
/** Two million contents. */
const LIMIT = 64 * 2 ** 20;
/** Nobody has asked for it for so long. */
const EXPIRY_MS = 180 * 24 * 3600 * 1000;
/** No run takes so long to write one. */
const LEFTOVER_MS = 24 * 3600 * 1000;

export class LayerRecords {
  readonly #path: string;

  constructor({ directory }: Repository) {
    this.#path = directory.pathOf(FOLDERS.join('/'));
  }

  /** What this layer would bring, when all of that is here. Undefined also when nobody knows. */
  present({ diffId }: { readonly diffId: Digest }, reader: ObjectReader): ReadonlySet<Checksum> | undefined {
    const bytes = this.#read(diffId);
    if (bytes === undefined) return undefined;
    const contents = new Set<Checksum>();
    for (let at = 0; at < bytes.length; at += LENGTH) {
      const checksum = bytes.toString('hex', at, at + LENGTH);
      if (!reader.has(checksum, 'file')) return undefined;
      contents.add(checksum);
    }
    return contents;
  }

  /** They did not make up their commit. */
  forget(layers: readonly { readonly diffId: Digest }[]): void {
    if (!fs.existsSync(this.#path)) return;
    const folder = openDirectory(this.#path);
    try {
      for (const { diffId } of layers) folder.unlink(splitDigest(diffId).hex);
    } finally {
      folder.close();
    }
  }

  /** Not flushed: it is checked when it is read. */
  write(repository: Repository, { diffId }: { readonly diffId: Digest }, contents: ReadonlySet<Checksum>): void {
    const body = Buffer.from([...contents].join(''), 'hex');
    const folder = makeFolder(repository);
    try {
      const name = splitDigest(diffId).hex;
      const temporary = `${name}.${process.pid}`;
      const fd = folder.openFile(temporary, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_TRUNC, 0o644);
      try {
        writeAll(fd, sumOf(body));
        writeAll(fd, body);
      } finally {
        fs.closeSync(fd);
      }
      folder.rename(temporary, folder, name);
    } finally {
      folder.close();
    }
  }

  /** These are used; those that nobody has used for a long time go, and so do leftovers of killed runs. */
  keep(layers: readonly { readonly diffId: Digest }[], now = Date.now()): void {
    if (!fs.existsSync(this.#path)) return;
    const folder = openDirectory(this.#path);
    try {
      const used = new Set(layers.map(({ diffId }) => splitDigest(diffId).hex));
      for (const name of folder.list()) {
        if (used.has(name)) fs.utimesSync(folder.at(name), now / 1000, now / 1000);
        else if (now - (folder.lstat(name)?.mtimeMs ?? now) > (name.includes('.') ? LEFTOVER_MS : EXPIRY_MS)) {
          folder.unlink(name);
        }
      }
    } finally {
      folder.close();
    }
  }

  #read(diffId: Digest): Buffer | undefined {
    if (!fs.existsSync(this.#path)) return undefined;
    const folder = openDirectory(this.#path);
    try {
      const file = readBounded(folder, splitDigest(diffId).hex, LIMIT);
      if (file === undefined || file.bytes.length % LENGTH !== 0 || file.bytes.length < LENGTH) return undefined;
      const all = Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length);
      const body = all.subarray(LENGTH);
      return sumOf(body).equals(all.subarray(0, LENGTH)) ? body : undefined;
    } finally {
      folder.close();
    }
  }
}

function makeFolder({ directory }: Repository): Directory {
  let folder: Directory | undefined;
  for (const name of FOLDERS) {
    const above: Directory = folder ?? directory;
    try {
      folder = above.makeDirectory(name, 0o755);
    } finally {
      if (above !== directory) above.close();
    }
  }
  if (folder === undefined) throw new Error('unreachable: a path without names');
  return folder;
}

function sumOf(bytes: Uint8Array): Buffer {
  return Buffer.from(splitDigest(digestOf(bytes)).hex, 'hex');
}
