/** The tar of a layer, byte for byte as it came: headers from its record, contents from the files in the storage. */
import fs from 'node:fs';
import { readBlobFile } from '../layout/read-blob.ts';
import { damaged, StorageError } from './error.ts';
import { InsideFiles, type OpenFile } from './inside-files.ts';
import type { Store } from './store.ts';
import { readTarSplit, type TarPiece } from './tar-split.ts';

/** Small pieces are joined: a tar has millions of them, and every chunk costs its readers a turn. */
const CHUNK = 2 ** 20;

/**
 * From byte `from` on. A chunk is valid until the next one is asked for. The diff id is for the caller to check; the
 * storage stays locked for others' changes meanwhile.
 * @throws StorageError STORAGE_MALFORMED, STORAGE_UNSUPPORTED; CodedError LOCK_TIMEOUT
 */
export async function* readLayerTar(
  store: Store,
  layer: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const release = await store.lock('layers', signal);
  let files: InsideFiles | undefined;
  try {
    const directory = store.openLayerFiles(layer);
    if (directory === undefined) throw damaged(store.path, `the files of layer ${layer} are missing`);
    files = new InsideFiles(directory);
    yield* assemble(pieces(store, layer, signal), files, from, signal);
  } finally {
    files?.close();
    release();
  }
}

/** Bytes of the tar, from its record alone. */
export async function measureLayerTar(store: Store, layer: string, signal: AbortSignal): Promise<number> {
  let size = 0;
  for await (const piece of pieces(store, layer, signal)) size += sizeOf(piece);
  return size;
}

function pieces(store: Store, layer: string, signal: AbortSignal): AsyncGenerator<TarPiece> {
  const record = store.openTarSplit(layer);
  if (record === undefined) {
    throw new StorageError('STORAGE_UNSUPPORTED', `${store.path}: layer ${layer} did not come as a tar`, {
      hint: 'write the image to a file with "podman save", and use docker-archive:FILE',
      subject: layer,
    });
  }
  const path = `${store.path}: ${layer}.tar-split.gz`;
  const release = () => fs.closeSync(record.fd);
  const source = readBlobFile({ fd: record.fd, offset: 0, size: record.stats.size, release }, 0, path, signal);
  return readTarSplit(source, path, signal);
}

async function* assemble(
  source: AsyncIterable<TarPiece>,
  files: InsideFiles,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const room = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  let skip = from;
  for await (const piece of source) {
    const size = sizeOf(piece);
    if (skip >= size) {
      skip -= size;
      continue;
    }
    if (filled + size - skip > CHUNK) {
      if (filled > 0) yield room.subarray(0, filled);
      filled = 0;
    }
    if (size - skip > CHUNK) yield* large(piece, files, skip, signal);
    else filled += small(piece, files, skip, room.subarray(filled));
    skip = 0;
  }
  if (filled > 0) yield room.subarray(0, filled);
}

async function* large(
  piece: TarPiece,
  files: InsideFiles,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (piece.kind === 'bytes') {
    yield piece.bytes.subarray(from);
    return;
  }
  const { fd, size } = openExact(piece, files);
  const path = Buffer.from(piece.name).toString();
  yield* readBlobFile({ fd, offset: 0, size, release: () => fs.closeSync(fd) }, from, path, signal);
}

/** Into `room`, which is large enough; gives how many bytes. */
function small(piece: TarPiece, files: InsideFiles, from: number, room: Buffer): number {
  if (piece.kind === 'bytes') {
    room.set(piece.bytes.subarray(from));
    return piece.bytes.length - from;
  }
  const { fd, size } = openExact(piece, files);
  try {
    const wanted = size - from;
    for (let done = 0; done < wanted; ) {
      const count = fs.readSync(fd, room, done, wanted - done, from + done);
      if (count === 0) throw damaged(Buffer.from(piece.name).toString(), 'became shorter while it was read');
      done += count;
    }
    return wanted;
  } finally {
    fs.closeSync(fd);
  }
}

function openExact({ name, size }: TarPiece & { readonly kind: 'file' }, files: InsideFiles): OpenFile {
  const file = files.open(name);
  if (file.size === size) return file;
  fs.closeSync(file.fd);
  throw damaged(Buffer.from(name).toString(), `expected ${size} bytes, found ${file.size}`);
}

function sizeOf(piece: TarPiece): number {
  return piece.kind === 'bytes' ? piece.bytes.length : piece.size;
}
