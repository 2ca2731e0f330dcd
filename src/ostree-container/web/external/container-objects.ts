/**
 * Content that an image does not keep in its repository, out of the files of the running container; spec 1.5, 1.6.
 * `ostree/object-map` says which file it is and what it had besides its bytes; the checksum says whether it still is.
 */
import fs from 'node:fs';
import { openDirectory } from '../../../linux/files/directory.ts';
import { type Checksum, encodeFileHeader, type FileHeader, sha256 } from '../../../ostree/index.ts';
import { isMapHead, readObjectMap } from '../../seed/index.ts';
import type { ExternalObjects, RebuiltObject } from '../external-objects.ts';
import { openBelow } from '../repository-file.ts';
import { archive, archivedRange, type OpenContent } from './archived.ts';

export interface ContainerPlace {
  /** The root of the container: `/`. */
  readonly root: string;
  /** The file `ostree/object-map`. */
  readonly map: string;
  /** A file that is not any more what the image had: who runs the container has written to it. */
  onNote(text: string): void;
}

interface ExternalEntry {
  readonly path: string;
  readonly header: FileHeader;
}

/** Sent out of memory; larger ones are made twice: to be checked, and to be sent. A client holds it for a minute. */
const KEPT = 256 * 1024;
/** Files found good, and the size of their archive form. */
const REMEMBERED = 10_000;

/** Undefined when the image has no map, or keeps everything in its repository. @throws SeedError SEED_MALFORMED, SEED_LIMIT */
export async function openContainerObjects(place: ContainerPlace): Promise<ExternalObjects | undefined> {
  const entries = await readExternal(place.map);
  if (entries.size === 0) return undefined;
  const sizes = new Map<string, number>();
  return {
    async rebuild(checksum, signal) {
      const entry = entries.get(checksum);
      if (entry === undefined) return undefined;
      return entry.header.target === undefined
        ? rebuildFile(place, { checksum, ...entry }, sizes, signal)
        : rebuildLink(place, { checksum, ...entry });
    },
  };
}

async function readExternal(map: string): Promise<ReadonlyMap<Checksum, ExternalEntry>> {
  const entries = new Map<Checksum, ExternalEntry>();
  if (!fs.existsSync(map)) return entries;
  for await (const line of readObjectMap(fs.createReadStream(map))) {
    if (isMapHead(line) || line.external === undefined || entries.has(line.object)) continue;
    entries.set(line.object, { path: line.path, header: line.external.header });
  }
  return entries;
}

interface Wanted extends ExternalEntry {
  readonly checksum: Checksum;
}

/** The target is in the map: the link itself need not be looked at. */
async function rebuildLink(
  place: ContainerPlace,
  { checksum, path, header }: Wanted,
): Promise<RebuiltObject | undefined> {
  if (sha256(encodeFileHeader(header)) !== checksum) return changed(place, path);
  const { bytes = Buffer.alloc(0) } = await archive({ fd: -1, size: 0, header }, KEPT, new AbortController().signal);
  return kept(bytes);
}

async function rebuildFile(
  place: ContainerPlace,
  { checksum, path, header }: Wanted,
  sizes: Map<string, number>,
  signal: AbortSignal,
): Promise<RebuiltObject | undefined> {
  const opened = openFrom(place.root, path);
  if (opened === undefined) return changed(place, path);
  const { fd, stats } = opened;
  const content: OpenContent = { fd, size: stats.size, header };
  // One that has been checked is the same as long as nothing about it has changed.
  const identity = [checksum, stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ');
  let isDone = true;
  try {
    const known = sizes.get(identity);
    if (known !== undefined && known > KEPT) {
      isDone = false;
      return streamed(content, known);
    }
    const made = await archive(content, KEPT, signal);
    if (made.checksum !== checksum) return changed(place, path);
    remember(sizes, identity, made.size);
    if (made.bytes !== undefined) return kept(made.bytes);
    isDone = false;
    return streamed(content, made.size);
  } finally {
    if (isDone) fs.closeSync(fd);
  }
}

function openFrom(root: string, path: string): ReturnType<typeof openBelow> {
  const directory = openDirectory(root);
  try {
    const names = path.split('/').filter((name) => name !== '');
    return names.length === 0 || names.includes('..') ? undefined : openBelow(directory, names);
  } finally {
    directory.close();
  }
}

function remember(sizes: Map<string, number>, identity: string, size: number): void {
  sizes.delete(identity);
  sizes.set(identity, size);
  for (const oldest of sizes.keys()) {
    if (sizes.size <= REMEMBERED) break;
    sizes.delete(oldest);
  }
}

function kept(bytes: Buffer): RebuiltObject {
  return {
    size: bytes.length,
    async *chunks(start, end) {
      yield bytes.subarray(start, end);
    },
    close: () => undefined,
  };
}

function streamed(content: OpenContent, size: number): RebuiltObject {
  let isOpen = true;
  return {
    size,
    chunks: (start, end) => archivedRange(content, start, end),
    close() {
      if (isOpen) fs.closeSync(content.fd);
      isOpen = false;
    },
  };
}

/** As good as absent: a client must not get it under the old name. */
function changed({ onNote }: ContainerPlace, path: string): undefined {
  onNote(`${path}: is not what the image has there: it cannot be served`);
  return undefined;
}
