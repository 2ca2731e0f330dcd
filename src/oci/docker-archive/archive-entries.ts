/** The files of an archive by name, read in place. Links lead to other files of the archive, and nowhere else. */
import fs from 'node:fs';
import { posix } from 'node:path';
import { printable } from '../../base/text.ts';
import { scanTar, TarError } from '../../tar/index.ts';
import { OciError } from '../error.ts';
import { malformedLayout } from '../layout/layout.ts';
import type { BlobFile } from '../layout/layout-files.ts';
import { readWholeBlob } from '../layout/read-blob.ts';

/** More than any archive of images has; each costs memory. */
const ENTRIES_LIMIT = 200_000;
/** Old versions of Docker link a layer that comes again to the first one, and no further. */
const LINKS_LIMIT = 8;

type Entry =
  | { readonly kind: 'file'; readonly offset: number; readonly size: number }
  | { readonly kind: 'link'; readonly target: string };

export class ArchiveEntries {
  readonly path: string;
  readonly #fd: number;
  readonly #entries: ReadonlyMap<string, Entry>;
  #isOpen = true;

  /** Takes over a descriptor of an uncompressed archive. @throws OciError LAYOUT_MALFORMED */
  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#entries = entriesOf(path, fd);
  }

  /** Undefined when there is no file of that name, also where a link leads out of the archive or in circles. */
  open(name: string): BlobFile | undefined {
    let at = cleanName(name);
    for (let links = 0; links <= LINKS_LIMIT; links++) {
      const entry = this.#entries.get(at);
      if (entry === undefined) return undefined;
      if (entry.kind === 'file') {
        return { fd: this.#fd, offset: entry.offset, size: entry.size, release: () => undefined };
      }
      at = entry.target;
    }
    return undefined;
  }

  /** @throws OciError TOO_LARGE */
  readSmall(name: string, limit: number): Uint8Array | undefined {
    const file = this.open(name);
    if (file === undefined) return undefined;
    if (file.size <= limit) return readWholeBlob(file, this.path);
    const message = `${printable(this.path)}: ${printable(name)} is larger than the limit of ${limit} bytes`;
    throw new OciError('TOO_LARGE', message, { subject: this.path });
  }

  /** A second time does nothing. */
  close(): void {
    if (this.#isOpen) fs.closeSync(this.#fd);
    this.#isOpen = false;
  }
}

/** A name that comes twice is its last entry, as when unpacked. */
function entriesOf(path: string, fd: number): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  try {
    for (const { path: stored, type, sparse, linkTarget = '', ...place } of scanTar(fd, { entries: ENTRIES_LIMIT })) {
      const name = cleanName(stored);
      if (type === 'symlink') entries.set(name, { kind: 'link', target: joined(posix.dirname(name), linkTarget) });
      else if (type === 'hardlink') entries.set(name, { kind: 'link', target: cleanName(linkTarget) });
      else if (type === 'file' && sparse === undefined)
        entries.set(name, { kind: 'file', offset: place.dataOffset, size: place.storedSize });
      else entries.delete(name);
    }
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    throw malformedLayout({ path }, 'is no sound tar archive', error);
  }
  return entries;
}

/** Without `./`. What leads outside keeps its dots, and so is the name of nothing. */
function cleanName(name: string): string {
  return posix.normalize(name);
}

function joined(folder: string, target: string): string {
  return target.startsWith('/') ? target : posix.join(folder, target);
}
