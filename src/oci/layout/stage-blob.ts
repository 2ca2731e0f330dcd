/** A blob on its way into a layout: it grows in `.partial/`, and gets its name when it is verified and on the disk. */
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CodedError, codeOf } from '../../base/error.ts';
import { formatBytes, printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { freeBytes, type Place, replaceFile, StagedFile } from '../../linux/files/durable.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, DigestCheck } from '../digest.ts';
import { named } from './read-blob.ts';

/** The blob from a byte on; called at most twice. A chunk is valid until the next one is asked for. */
export type BlobSource = (from: number) => AsyncIterable<Uint8Array>;

export interface BlobPlaces {
  readonly partial: Directory;
  readonly target: Place;
  readonly signal: AbortSignal;
}

/** Blobs are for everybody to read, as those of other tools. */
export const BLOB_MODE = 0o644;

/** A name that no other blob has. */
export function partialName(digest: Digest): string {
  return digest.replace(':', '-');
}

export async function bringBlob(descriptor: Descriptor, source: BlobSource, places: BlobPlaces): Promise<void> {
  try {
    await stage(descriptor, source, places, StagedFile.resume);
  } catch (error) {
    // What an earlier run left may be damaged; what has just come may be so only once it came as a whole.
    if (!(error instanceof DamagedLeftover)) throw error;
    await stage(descriptor, source, places, StagedFile.fresh);
  }
  await publish(partialName(descriptor.digest), places);
}

class DamagedLeftover extends Error {}

async function stage(
  { digest, size }: Descriptor,
  source: BlobSource,
  { partial, signal }: BlobPlaces,
  begin: (directory: Directory, name: string) => StagedFile,
): Promise<void> {
  const staged = begin(partial, partialName(digest));
  const check = new DigestCheck(`blob ${digest}`, digest, size);
  let there = 0;
  try {
    if (staged.size > size) staged.truncate();
    there = staged.size;
    assertRoom(partial, size - there, digest);
    await rehash(staged, check, signal);
    if (there < size) await receive(staged, check, source(there), signal);
    check.finish();
    staged.keep();
  } catch (error) {
    const isWrong = codeOf(error) === 'INVALID_DIGEST' || (codeOf(error) === 'INVALID_SIZE' && check.size > size);
    if (!isWrong) {
      staged.keep(); // good so far: the next run goes on
      throw error;
    }
    staged.discard();
    throw there > 0 ? new DamagedLeftover('', { cause: error }) : error;
  }
}

async function rehash(staged: StagedFile, check: DigestCheck, signal: AbortSignal): Promise<void> {
  for (const chunk of staged.contents()) {
    check.update(chunk);
    await setImmediate(); // other blobs are on their way meanwhile
    signal.throwIfAborted();
  }
}

async function receive(
  staged: StagedFile,
  check: DigestCheck,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    check.update(chunk);
    staged.write(chunk);
  }
}

function assertRoom(directory: Directory, wanted: number, digest: Digest): void {
  const free = freeBytes(directory);
  if (wanted <= free) return;
  const message = `blob ${digest}: ${formatBytes(wanted)} do not fit into ${formatBytes(free)} of free space`;
  throw new CodedError('DISK_FULL', message, {
    hint: `free some space on the file system of ${printable(directory.path)} and try again`,
    subject: directory.path,
  });
}

/** On the disk first, then under its name. The flush runs beside the other blobs. */
async function publish(name: string, { partial, target }: BlobPlaces): Promise<void> {
  const fd = partial.openFile(name, fs.constants.O_RDWR);
  const path = partial.pathOf(name);
  try {
    naming(path, () => fs.fchmodSync(fd, BLOB_MODE));
    await new Promise<void>((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error === null || error === undefined ? resolve() : reject(named(path, error))));
    });
  } finally {
    fs.closeSync(fd);
  }
  partial.rename(name, target.directory, target.name);
}

/** A blob that is in memory. */
export function publishSmall(bytes: Uint8Array, digest: Digest, partial: Directory, target: Place): void {
  replaceFile(target, { directory: partial, name: `${partialName(digest)}.new` }, bytes, BLOB_MODE);
}
