/** Signatures beside a registry, one file each: `STORAGE/REPOSITORY@sha256=HEX/signature-N`. */
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../../../base/error.ts';
import { printable } from '../../../base/text.ts';
import type { HttpClient } from '../../../http/index.ts';
import { type Directory, openDirectory } from '../../../linux/files/directory.ts';
import { replaceFile } from '../../../linux/files/durable.ts';
import { renameExclusive } from '../../../linux/files/exclusive-rename.ts';
import { type Digest, type NamedReference, splitDigest } from '../../../oci/index.ts';
import { ImagesError } from '../../error.ts';
import { readOptionalFile } from '../../host-files/optional-file.ts';
import { type RegistriesD, storageOf } from './registries-d.ts';

/** A simple signature has less than a kilobyte; the tools allow 4 MiB. */
const SIGNATURE_LIMIT = 4 * 2 ** 20;
const MOST_SIGNATURES = 128;
const MOST_BYTES = 16 * 2 ** 20;

/**
 * In the order of their numbers; the first number that is missing ends them.
 * @throws ImagesError BAD_REGISTRIES_D for a URL that cannot be read; HttpError, CodedError TOO_LARGE
 */
export async function lookasideSignatures(
  identity: NamedReference,
  digest: Digest,
  conf: RegistriesD,
  http: () => HttpClient,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const folder = folderUrl(storageOf(conf, identity, 'read'), identity, digest);
  const found: Uint8Array[] = [];
  for (let bytes = 0; found.length < MOST_SIGNATURES; ) {
    const url = new URL(`${folder.href}/signature-${found.length + 1}`);
    const signature = url.protocol === 'file:' ? readLocal(url) : await fetchOne(url, http(), signal);
    if (signature === undefined) return found;
    bytes += signature.length;
    if (bytes > MOST_BYTES) throw tooMany(folder);
    found.push(signature);
  }
  throw tooMany(folder);
}

/**
 * One more, behind those that are there; the same bytes are not written twice. Storage is shared: who may write to it
 * may remove signatures, so that nobody depends on what lies there.
 * @throws ImagesError TRANSPORT_READ_ONLY for storage that is not on this machine
 */
export function addLookasideSignature(
  identity: NamedReference,
  digest: Digest,
  conf: RegistriesD,
  signature: Uint8Array,
): string {
  const url = folderUrl(storageOf(conf, identity, 'write'), identity, digest);
  if (url.protocol !== 'file:') {
    throw new ImagesError('TRANSPORT_READ_ONLY', `${url.href}: signatures cannot be written there`, {
      hint: 'name a file:// URL as lookaside-staging in registries.d',
      subject: url.href,
    });
  }
  const folder = fileURLToPath(url);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const directory = openDirectory(folder);
  try {
    return addTo(directory, folder, signature);
  } finally {
    directory.close();
  }
}

function addTo(directory: Directory, folder: string, signature: Uint8Array): string {
  removeLeftovers(directory);
  for (let number = 1; number <= MOST_SIGNATURES; number++) {
    const name = `signature-${number}`;
    const present = readOptionalFile(join(folder, name), SIGNATURE_LIMIT);
    if (present !== undefined && Buffer.compare(present.bytes, signature) === 0) return join(folder, name);
    if (present !== undefined) continue;
    if (writeNew(directory, name, signature)) return join(folder, name);
  }
  throw tooMany(new URL(`file://${folder}`));
}

const STAGED = /^\.signature-[0-9]+\.[0-9]+(\.part)?$/;
const LEFTOVER_MS = 60 * 60 * 1000;

/** Of killed runs. Other machines may write here, too, so that only age tells. */
function removeLeftovers(directory: Directory): void {
  for (const name of directory.list().filter((each) => STAGED.test(each))) {
    const stats = directory.lstat(name);
    if (stats !== undefined && stats.mtimeMs < Date.now() - LEFTOVER_MS) directory.unlink(name);
  }
}

/** False when the name is taken: two may sign at the same time. */
function writeNew(directory: Directory, name: string, signature: Uint8Array): boolean {
  const staged = { directory, name: `.${name}.${process.pid}` };
  replaceFile(staged, { directory, name: `${staged.name}.part` }, signature, 0o644);
  if (!renameExclusive(staged, { directory, name })) {
    directory.unlink(staged.name);
    return false;
  }
  directory.sync();
  return true;
}

/** The repository without its host: whoever configures one storage for two registries mixes them. */
function folderUrl(storage: string, { path }: NamedReference, digest: Digest): URL {
  const { algorithm, hex } = splitDigest(digest);
  let base: URL;
  try {
    base = new URL(storage);
  } catch (cause) {
    throw new ImagesError('BAD_REGISTRIES_D', `${printable(storage)}: not a URL`, { cause, subject: storage });
  }
  if (!['file:', 'http:', 'https:'].includes(base.protocol)) {
    throw new ImagesError('BAD_REGISTRIES_D', `${printable(storage)}: expected a URL of file, http or https`, {
      subject: storage,
    });
  }
  base.pathname = `${base.pathname.replace(/\/$/, '')}/${path}@${algorithm}=${hex}`;
  return base;
}

function readLocal(url: URL): Uint8Array | undefined {
  return readOptionalFile(fileURLToPath(url), SIGNATURE_LIMIT)?.bytes;
}

async function fetchOne(url: URL, http: HttpClient, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    const result = await http.getDocument(url, { limit: SIGNATURE_LIMIT, signal });
    return result.kind === 'document' ? result.bytes : undefined;
  } catch (error) {
    if (codeOf(error) === 'HTTP_NOT_FOUND' || codeOf(error) === 'HTTP_GONE') return undefined;
    throw error;
  }
}

function tooMany(folder: URL): ImagesError {
  return new ImagesError('SIGNATURE_INVALID', `${folder.href}: more than ${MOST_SIGNATURES} signatures, or too large`);
}
