/** `tako store`: add an image to a publisher's directory and sign the manifest anew. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { codeOf } from '../../base/error.ts';
import type { Progress } from '../../base/progress.ts';
import { quote } from '../../base/text.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { StagedFile } from '../../linux/files/durable.ts';
import { parseVersion } from '../../version/index.ts';
import { type Destination, type LockWait, openDestination } from '../destination/destination.ts';
import { assertSpace, hashFile, inspectImage } from '../destination/images.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import { TakoError } from '../error.ts';
import type { SecretKey } from '../manifest/key.ts';
import { findVersion, type ManifestEntry, sealManifest } from '../manifest/manifest.ts';
import { underLock } from '../update/settle.ts';

export interface Publication {
  /** The publisher's directory; its `store/` is made when absent. */
  readonly directory: string;
  readonly image: string;
  readonly version: string;
  readonly dryRun: boolean;
}

export interface PublishPorts {
  readonly progress: Progress;
  readonly wait: LockWait;
}

export interface Published {
  readonly entry: ManifestEntry;
  /** `repaired`: the version was published already, and its file was missing or damaged. */
  readonly outcome: 'added' | 'unchanged' | 'repaired';
}

const CHUNK_BYTES = 2 ** 20;
const OTHER_KEY = 'use the key that signed it; "tako sign --rotate" changes to another one';
/** One temporary name is enough under the lock; a leftover of a killed run is written over. */
const PART = '.image.part';

/**
 * Publish an image under a version. Nothing is changed unless all of it succeeds; the same call again is no change.
 * @throws TakoError INVALID_VERSION, IMAGE_UNREADABLE, DUPLICATE, INVALID_SIGNATURE (manifest of another key)
 */
export async function publishImage(
  publication: Publication,
  key: SecretKey,
  ports: PublishPorts,
  signal: AbortSignal,
): Promise<Published> {
  assertPublishable(publication.version);
  const directory = openDestination(publication.directory, 'refuse');
  let source: Source | undefined;
  try {
    const image = openImage(publication.image);
    source = image;
    const work = (): Promise<Published> => publish(directory, image, publication, key, ports, signal);
    return publication.dryRun ? await work() : await underLock(directory, ports, signal, work);
  } finally {
    if (source !== undefined) fs.closeSync(source.fd);
    directory.close();
  }
}

interface Source {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
}

async function publish(
  directory: Destination,
  source: Source,
  { version, dryRun }: Publication,
  key: SecretKey,
  ports: PublishPorts,
  signal: AbortSignal,
): Promise<Published> {
  const warn = (text: string): void => ports.progress({ kind: 'warning', text });
  const entries = readLocalManifest(directory, [key.publicKey], warn, OTHER_KEY)?.entries ?? [];
  const published = findVersion(entries, version);
  // A version that is taken is found out before anything is copied.
  if (published !== undefined || dryRun) {
    const entry = await hashSource(source, version, signal);
    if (published !== undefined) assertSame(published, entry);
    const whole = (await inspectImage(directory.store, entry, true, signal)) === 'whole';
    if (published !== undefined && whole) return { entry: published, outcome: 'unchanged' };
    if (dryRun) return { entry, outcome: published === undefined ? 'added' : 'repaired' };
  }
  const entry = await copyIn(directory.openStore(), source, version, ports.progress, signal);
  if (published !== undefined) {
    assertSame(published, entry); // the source may have changed since it was hashed
    return { entry: published, outcome: 'repaired' };
  }
  directory.writeManifest(sealManifest([...entries, entry], key));
  return { entry, outcome: 'added' };
}

/** Versions that every reader can parse and no shell or eye mistakes; `*` is what patterns are made of. */
function assertPublishable(version: string): void {
  if (!/^[\x21-\x7e]{1,255}$/.test(version)) {
    throw new TakoError(
      'INVALID_VERSION',
      `version ${quote(version)}: expected 1 to 255 characters of printable ASCII without spaces`,
    );
  }
  if (version.split(/[._-]/).includes('*')) {
    throw new TakoError('INVALID_VERSION', `version ${quote(version)}: "*" is for patterns`);
  }
}

function assertSame(published: ManifestEntry, entry: ManifestEntry): void {
  const { text } = published.version;
  if (text !== entry.version.text) {
    throw new TakoError('DUPLICATE', `version ${entry.version.text} is published already, spelled ${text}`);
  }
  if (published.sha256 !== entry.sha256) {
    throw new TakoError(
      'DUPLICATE',
      `version ${text} is published already, as another image (sha256 ${published.sha256})`,
      {
        hint: 'publish the new image under a new version',
      },
    );
  }
}

function openImage(path: string): Source {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK); // a FIFO must not stop us
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'no such file' : 'cannot be read';
    throw new TakoError('IMAGE_UNREADABLE', `${path}: ${why}`, { cause, subject: path });
  }
  const stats = fs.fstatSync(fd);
  if (stats.isFile()) return { path, fd, size: stats.size };
  fs.closeSync(fd);
  const what = stats.isDirectory() ? 'a directory' : 'no regular file';
  throw new TakoError('IMAGE_UNREADABLE', `${path}: ${what}; an image is one regular file`, { subject: path });
}

async function hashSource(source: Source, version: string, signal: AbortSignal): Promise<ManifestEntry> {
  const hash = createHash('sha256');
  const size = await hashFile(source.fd, hash, signal);
  return { version: parseVersion(version), size: BigInt(size), sha256: hash.digest('hex') };
}

/** Copy while hashing, so that the digest is of the bytes that are published and of no others. */
async function copyIn(
  store: Directory,
  source: Source,
  version: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ManifestEntry> {
  assertSpace(store, source.size, source.path);
  const part = StagedFile.fresh(store, PART);
  const task = source.path;
  let ok = false;
  try {
    progress({ kind: 'start', task, label: `copy ${version}`, total: source.size, done: 0 });
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      signal.throwIfAborted();
      const length = fs.readSync(source.fd, buffer, 0, CHUNK_BYTES, part.size);
      if (length === 0) break;
      const chunk = buffer.subarray(0, length);
      hash.update(chunk);
      part.write(chunk);
      progress({ kind: 'advance', task, done: part.size });
      await setImmediate();
    }
    const entry = { version: parseVersion(version), size: BigInt(part.size), sha256: hash.digest('hex') };
    if ((await inspectImage(store, entry, true, signal)) === 'whole') part.discard();
    else part.commit(entry.sha256, 0o444);
    ok = true;
    return entry;
  } catch (error) {
    part.discard();
    throw error;
  } finally {
    progress({ kind: 'end', task, ok });
  }
}
