/** Writing `oci-archive:`. The layout is staged in a hidden directory beside the file, and packed at the end. */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { StagedFile } from '../../linux/files/staged-file.ts';
import { TarWriter } from '../../tar/index.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, splitDigest } from '../digest.ts';
import { BLOBS, INDEX_FILE, VERSION_FILE } from '../layout/layout-files.ts';
import { createLayout, type LayoutWriter, type LayoutWriterOptions } from '../layout/layout-writer.ts';
import { readBlobFile } from '../layout/read-blob.ts';
import type { BlobSource } from '../layout/stage-blob.ts';
import type { RawManifest } from '../manifest.ts';

export type ArchiveWriterOptions = LayoutWriterOptions;

const FILE_MODE = 0o644;

/**
 * Begin an archive at `path`, which replaces a file of that name when it is finished. What a killed run staged for the
 * same path is gone on with.
 * @throws CodedError LOCK_TIMEOUT, NOT_A_DIRECTORY; SystemError ENOENT when the directory does not exist
 */
export async function writeOciArchive(path: string, options: ArchiveWriterOptions = {}): Promise<ArchiveWriter> {
  const absolute = resolve(path);
  const directory = openDirectory(dirname(absolute));
  const name = basename(absolute);
  try {
    return new ArchiveWriter(
      { directory, name },
      await createLayout(`${dirname(absolute)}/${stagingName(name)}`, { ...options, startEmpty: true }),
    );
  } catch (error) {
    directory.close();
    throw error;
  }
}

/** Hidden, and found again by the next run. */
function stagingName(name: string): string {
  return `.${name}.partial`;
}

/** Ends with one of `finish`, `discard` and `close`; afterwards the others do nothing. */
export class ArchiveWriter {
  readonly #directory: Directory;
  readonly #name: string;
  readonly #layout: LayoutWriter;
  /** What belongs to the archive: a killed run may have staged other blobs. */
  readonly #digests = new Set<Digest>();
  #isOpen = true;

  constructor(target: { readonly directory: Directory; readonly name: string }, layout: LayoutWriter) {
    this.#directory = target.directory;
    this.#name = target.name;
    this.#layout = layout;
  }

  /** As of `LayoutWriter`. */
  async writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    this.#digests.add(descriptor.digest);
    await this.#layout.writeBlob(descriptor, source, signal);
  }

  hasBlob(digest: Digest, size: number): boolean {
    return this.#layout.hasBlob(digest, size);
  }

  readBlob(digest: Digest, from?: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#layout.readBlob(digest, from, signal);
  }

  writeManifest(raw: RawManifest): void {
    this.#digests.add(raw.digest);
    this.#layout.writeManifest(raw);
  }

  setTag(descriptor: Descriptor, tag: string | undefined): void {
    this.#layout.setTag(descriptor, tag);
  }

  /** The archive under its name, durable; equal layouts give equal bytes. */
  async finish(signal: AbortSignal): Promise<void> {
    this.#layout.flush();
    const staged = StagedFile.fresh(this.#directory, `${stagingName(this.#name)}.tar`);
    try {
      const tar = new TarWriter((chunk) => staged.write(chunk));
      await packLayout(this.#layout, [...this.#digests].sort(), tar, signal);
      staged.commit(this.#name, FILE_MODE);
    } catch (error) {
      staged.discard();
      throw error;
    }
    this.discard();
  }

  /** Without an archive, and without leaving anything. */
  discard(): void {
    if (!this.#isOpen) return;
    const path = this.#directory.at(stagingName(this.#name));
    naming(this.#layout.path, () => fs.rmSync(path, { recursive: true, force: true })); // never follows a link
    this.close();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#layout.close();
    this.#directory.close();
  }
}

const OWNER = { uid: 0, gid: 0 };

async function packLayout(
  layout: LayoutWriter,
  digests: readonly Digest[],
  tar: TarWriter,
  signal: AbortSignal,
): Promise<void> {
  const folders = new Set([BLOBS, ...digests.map((digest) => `${BLOBS}/${splitDigest(digest).algorithm}`)]);
  for (const path of folders) await tar.add({ path, type: 'directory', mode: 0o755, ...OWNER });
  for (const digest of digests) await packBlob(layout, digest, tar, signal);
  for (const name of [INDEX_FILE, VERSION_FILE] as const) {
    await tar.add({ path: name, type: 'file', mode: FILE_MODE, ...OWNER }, layout.readSmall(name));
  }
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
