/**
 * A blob that is read while it comes, and kept as far as it has come: a pull that was ended goes on where it stopped.
 * In `tmp/` of the repository, where what nobody comes back for is removed after a day.
 */
import fs from 'node:fs';
import { codeOf } from '../base/error.ts';
import { readNamelessFile } from '../linux/files/nameless-file.ts';
import { writeAll } from '../linux/files/write.ts';
import { tryOfdLock } from '../linux/processes/lock.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Repository } from '../ostree/index.ts';

const { O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants;

/** An image that layers are read from. */
export interface BlobSource {
  /** `docker`: in a registry. */
  readonly name: { readonly transport: string };
  readBlob(descriptor: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface BlobReading {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes that an earlier run has brought. */
  readonly before: number;
  /** All of it was read and is what it should be, or none of it is of use. */
  drop(): void;
  /** For the next run. */
  keep(): void;
}

/** What lies on this machine is not kept once more. */
export function readKept(
  repository: Repository,
  source: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): BlobReading {
  const path = `${repository.root}/tmp/tako-blob-${descriptor.digest.replace(':', '-')}`;
  const fd = source.name.transport === 'docker' ? openOwn(path) : undefined;
  if (fd === undefined) {
    return { chunks: source.readBlob(descriptor, 0, signal), before: 0, drop: () => undefined, keep: () => undefined };
  }
  const { size } = fs.fstatSync(fd);
  // More than there is cannot be the blob.
  const before = size > descriptor.size ? 0 : size;
  if (before !== size) fs.ftruncateSync(fd, 0);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  };
  return {
    chunks: throughFile(fd, before, source, descriptor, signal),
    before,
    drop() {
      if (isOpen) fs.rmSync(path, { force: true });
      close();
    },
    keep: close,
  };
}

/** A download that broke off goes on later; one that is wrong does not get better. */
export function isWrongBlob(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return (
    ['INVALID_DIGEST', 'INVALID_SIZE'].includes(code) || code.startsWith('TAR_') || code.startsWith('COMPRESSION_')
  );
}

/** Undefined while another run is at it: then there are two downloads. */
function openOwn(path: string): number | undefined {
  const fd = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  const isLocked = tryOfdLock(fd, 'exclusive');
  const named = fs.lstatSync(path, { throwIfNoEntry: false });
  const { ino, uid, nlink } = fs.fstatSync(fd);
  if (isLocked && named?.ino === ino && uid === process.getuid?.() && nlink === 1) return fd;
  fs.closeSync(fd);
  return undefined;
}

async function* throughFile(
  fd: number,
  before: number,
  source: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of readNamelessFile(fd, 0, before)) {
    signal.throwIfAborted();
    yield chunk;
  }
  if (before === descriptor.size) return;
  let end = before;
  for await (const chunk of source.readBlob(descriptor, before, signal)) {
    writeAll(fd, chunk, end);
    end += chunk.length;
    yield chunk;
  }
}
