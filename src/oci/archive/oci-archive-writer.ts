/** Writing `oci-archive:`. The layout is staged in a hidden directory beside the file, and packed at the end. */
import { TarWriter } from '../../tar/index.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, splitDigest } from '../digest.ts';
import { BLOBS, INDEX_FILE, VERSION_FILE } from '../layout/layout-files.ts';
import type { LayoutWriter, LayoutWriterOptions } from '../layout/layout-writer.ts';
import { readBlobFile } from '../layout/read-blob.ts';
import type { BlobSource } from '../layout/stage-blob.ts';
import type { RawManifest } from '../manifest.ts';
import { StagedArchive } from './staged-archive.ts';

export type ArchiveWriterOptions = LayoutWriterOptions;

const FILE_MODE = 0o644;

/**
 * Begin an archive at `path`, which replaces a file of that name when it is finished. What a killed run staged for the
 * same path is gone on with.
 * @throws CodedError LOCK_TIMEOUT, NOT_A_DIRECTORY; SystemError ENOENT when the directory does not exist
 */
export async function writeOciArchive(path: string, options: ArchiveWriterOptions = {}): Promise<ArchiveWriter> {
  return new ArchiveWriter(await StagedArchive.begin(path, options));
}

/** Ends with one of `finish`, `discard` and `close`; afterwards the others do nothing. */
export class ArchiveWriter {
  readonly #staged: StagedArchive;
  /** What belongs to the archive: a killed run may have staged other blobs. */
  readonly #digests = new Set<Digest>();
  readonly #beside = new Map<string, Uint8Array>();

  constructor(staged: StagedArchive) {
    this.#staged = staged;
  }

  /** As of `LayoutWriter`. */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    this.#digests.add(descriptor.digest);
    await this.#staged.layout.writeBlob(descriptor, source, signal);
  }

  hasBlob(digest: Digest, size: number): boolean {
    return this.#staged.layout.hasBlob(digest, size);
  }

  readBlob(digest: Digest, from?: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#staged.layout.readBlob(digest, from, signal);
  }

  writeManifest(raw: RawManifest): void {
    this.#digests.add(raw.digest);
    this.#staged.layout.writeManifest(raw);
  }

  setTag(descriptor: Descriptor, tag: string | undefined): void {
    this.#staged.layout.setTag(descriptor, tag);
  }

  /** A file of one's own beside the index. @param name without a slash */
  setBeside(name: string, bytes: Uint8Array): void {
    this.#beside.set(name, bytes);
  }

  /** The archive under its name, durable; equal layouts give equal bytes. */
  async finish(signal: AbortSignal): Promise<void> {
    const { layout } = this.#staged;
    layout.flush();
    const digests = [...this.#digests].sort();
    await this.#staged.commit((write) => packLayout(layout, digests, this.#beside, new TarWriter(write), signal));
  }

  /** Without an archive, and without leaving anything. */
  discard(): void {
    this.#staged.discard();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    this.#staged.close();
  }
}

const OWNER = { uid: 0, gid: 0 };

async function packLayout(
  layout: LayoutWriter,
  digests: readonly Digest[],
  beside: ReadonlyMap<string, Uint8Array>,
  tar: TarWriter,
  signal: AbortSignal,
): Promise<void> {
  const folders = new Set([BLOBS, ...digests.map((digest) => `${BLOBS}/${splitDigest(digest).algorithm}`)]);
  for (const path of folders) await tar.add({ path, type: 'directory', mode: 0o755, ...OWNER });
  for (const digest of digests) await packBlob(layout, digest, tar, signal);
  for (const name of [INDEX_FILE, VERSION_FILE] as const) {
    await tar.add({ path: name, type: 'file', mode: FILE_MODE, ...OWNER }, layout.readSmall(name));
  }
  for (const [path, bytes] of beside) await tar.add({ path, type: 'file', mode: FILE_MODE, ...OWNER }, bytes);
  await tar.finish();
}

async function packBlob(layout: LayoutWriter, digest: Digest, tar: TarWriter, signal: AbortSignal): Promise<void> {
  const file = layout.openBlob(digest);
  if (file === undefined) return; // its transfer failed, and whoever began it knows
  const { algorithm, hex } = splitDigest(digest);
  const path = `${BLOBS}/${algorithm}/${hex}`;
  const data = readBlobFile(file, 0, path, signal);
  await tar.add({ path, type: 'file', mode: FILE_MODE, size: file.size, ...OWNER }, data);
}
