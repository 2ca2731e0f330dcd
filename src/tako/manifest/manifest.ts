/**
 * The manifest: which images an origin vouches for. Format 1, bytes and not text, lines end in LF:
 *
 *     manifest  = "Tako Manifest 1" LF LF *( version SP size SP digest LF ) LF signature LF
 *
 * The signature (Ed25519, base64, 88 characters) covers every byte before its line. Described for publishers and
 * administrators in docs/manifest-format.md.
 */
import { decodeBase64, decodeUtf8, encodeBase64, isHex } from '../../base/decode.ts';
import { compareVersions, parseVersion, type Version, versionKey } from '../../version/index.ts';
import { malformed, TakoError } from '../error.ts';
import type { PublicKey, SecretKey } from './key.ts';

/** A larger manifest is refused: some 180 000 entries, far beyond any use. */
export const MANIFEST_LIMIT = 16 * 2 ** 20;
/** Longest line of a manifest in bytes. */
const LINE_LIMIT = 4096;
const HEADER = 'Tako Manifest 1';
const PREFIX = Buffer.from(`${HEADER}\n\n`, 'latin1');
const LF = 0x0a;
const SPACE = 0x20;
const SIGNATURE_BYTES = 64;
const LARGEST_SIZE = 2n ** 64n - 1n;

/** An image the origin vouches for: one line of the manifest. Size in bytes; sha256 in lower-case hex. */
export interface ManifestEntry {
  readonly version: Version;
  readonly size: bigint;
  readonly sha256: string;
}

declare const verified: unique symbol;

/** A manifest whose signature held; only `openManifest` makes one. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  /** The exact bytes, signature included: a mirror passes them on as they are. */
  readonly bytes: Uint8Array;
  /** Which of the keys had signed it. */
  readonly key: PublicKey;
  readonly [verified]: true;
}

/**
 * Verify a manifest file under any of the keys, then parse it; entries are not looked at before the signature holds.
 * @throws TakoError INVALID_MANIFEST, INVALID_SIGNATURE_DATA, INVALID_SIGNATURE
 */
export function openManifest(file: Uint8Array, keys: readonly PublicKey[]): Manifest {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const { signatureStart, signature } = frame(bytes);
  const signed = bytes.subarray(0, signatureStart);
  const key = keys.find((candidate) => candidate.verify(signed, signature));
  if (key === undefined) {
    const whom = keys.length === 1 ? 'the configured key' : 'any of the configured keys';
    throw new TakoError('INVALID_SIGNATURE', `manifest is not signed by ${whom}`);
  }
  const entries = parseEntries(bytes.subarray(PREFIX.length, signatureStart - 1));
  return { entries, bytes, key } as unknown as Manifest; // the brand has no value
}

/**
 * The entries of a manifest whose signature nobody checked. For a publisher's own directory only, where no key is at
 * hand and nothing that is read leads to anything being trusted.
 * @throws TakoError INVALID_MANIFEST, INVALID_SIGNATURE_DATA
 */
export function readUnverifiedEntries(file: Uint8Array): ManifestEntry[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  return parseEntries(bytes.subarray(PREFIX.length, frame(bytes).signatureStart - 1));
}

/** Sort, write and sign: `openManifest(sealManifest(entries, secret), [public]).entries` are the entries, sorted. */
export function sealManifest(entries: readonly ManifestEntry[], key: SecretKey): Uint8Array {
  const sorted = [...entries].sort((a, b) => compareVersions(a.version, b.version));
  const lines = sorted.map((entry) => `${entry.version.text} ${entry.size} ${entry.sha256}\n`);
  const body = Buffer.from(`${HEADER}\n\n${lines.join('')}\n`, 'utf8');
  const file = Buffer.concat([body, Buffer.from(`${encodeBase64(key.sign(body))}\n`, 'latin1')]);
  assertSame(openManifest(file, [key.publicKey]).entries, sorted);
  return file;
}

/** Whatever was wrong with an entry must show here, not at a client: a version with a newline would be two entries. */
function assertSame(read: readonly ManifestEntry[], meant: readonly ManifestEntry[]): void {
  for (let i = 0; i < Math.max(read.length, meant.length); i++) {
    const [found, entry] = [read[i], meant[i]];
    if (
      found === undefined ||
      entry === undefined ||
      found.version.text !== entry.version.text ||
      !sameEntry(found, entry)
    ) {
      throw malformed(`entry ${i + 1}`, 'a version that can be read back', entry?.version.text ?? '');
    }
  }
}

/** Equal version whatever its spelling, equal size, equal digest. */
export function sameEntry(a: ManifestEntry, b: ManifestEntry): boolean {
  return a.sha256 === b.sha256 && a.size === b.size && compareVersions(a.version, b.version) === 0;
}

/** Does the entry have this version, in whatever spelling? */
export function hasVersion(entry: ManifestEntry, text: string): boolean {
  return compareVersions(entry.version, parseVersion(text)) === 0;
}

/** The entry of a version, in whatever spelling. */
export function findVersion(entries: readonly ManifestEntry[], text: string): ManifestEntry | undefined {
  return entries.find((entry) => hasVersion(entry, text));
}

/** Find the parts of the file, in an order that recognises an HTML page or a future format before the signature. */
function frame(bytes: Buffer): { readonly signatureStart: number; readonly signature: Uint8Array } {
  assertHeader(bytes);
  // Entries are never empty lines, so the first empty line after the header's ends them.
  const blank = bytes[PREFIX.length] === LF ? PREFIX.length : bytes.indexOf('\n\n', PREFIX.length, 'latin1') + 1;
  if (blank === 0) throw unfinished(bytes);
  const signatureStart = blank + 1;
  const end = bytes.indexOf(LF, signatureStart);
  if (end === -1) {
    if (signatureStart === bytes.length)
      throw malformed('end', 'premature end: expected a signature after the blank line');
    throw malformed('end', 'newline expected at end');
  }
  if (end + 1 !== bytes.length) {
    throw malformed('end', bytes.indexOf(LF, end + 1) === -1 ? 'newline expected at end' : 'trailing data');
  }
  return { signatureStart, signature: decodeSignature(bytes.toString('latin1', signatureStart, end)) };
}

function assertHeader(bytes: Buffer): void {
  const end = bytes.indexOf(LF);
  const line = bytes.toString('latin1', 0, Math.min(end === -1 ? bytes.length : end, LINE_LIMIT));
  if (line !== HEADER) {
    if (line.startsWith('Tako Manifest')) throw malformed('line 1', 'manifest format not supported', line);
    throw malformed('line 1', `expected header "${HEADER}" absent`, line.slice(0, 40));
  }
  if (end === -1 || bytes.length < PREFIX.length) throw malformed('end', 'premature end');
  if (bytes[PREFIX.length - 1] !== LF) throw malformed('line 2', 'blank line expected after header');
  if (bytes.length === PREFIX.length) throw malformed('end', 'premature end');
}

/** No blank line after the entries: either the file was cut off, or the blank line is missing. */
function unfinished(bytes: Buffer): TakoError {
  const lines = bytes.toString('latin1', PREFIX.length).split('\n');
  lines.pop();
  const index = lines.findIndex((line) => !line.includes(' '));
  if (index === -1) return malformed('end', 'premature end: no signature');
  return malformed(`line ${index + 3}`, 'space expected after version', lines[index]);
}

function decodeSignature(line: string): Uint8Array {
  const signature = line.length > LINE_LIMIT ? undefined : decodeBase64(line);
  if (signature === undefined) {
    throw new TakoError('INVALID_SIGNATURE_DATA', 'manifest signature: expected base64 on the last line');
  }
  if (signature.length === SIGNATURE_BYTES) return signature;
  throw malformed(
    'signature',
    `signature has wrong length: expected ${SIGNATURE_BYTES} bytes, found ${signature.length}`,
  );
}

function parseEntries(body: Buffer): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  const known = new Map<string, ManifestEntry>();
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf(LF, start); // the body ends in LF, so there always is one
    const where = `line ${entries.length + 3}`;
    if (end - start > LINE_LIMIT) throw malformed(where, `longer than ${LINE_LIMIT} bytes`);
    const entry = parseEntry(body.subarray(start, end), where);
    const key = versionKey(entry.version);
    const twin = known.get(key);
    if (twin !== undefined && !sameEntry(twin, entry)) {
      throw malformed(where, 'two images for one version', entry.version.text);
    }
    known.set(key, entry);
    entries.push(entry);
    start = end + 1;
  }
  return entries;
}

function parseEntry(line: Buffer, where: string): ManifestEntry {
  const first = line.indexOf(SPACE);
  if (first === -1) throw malformed(where, 'space expected after version', line.toString('latin1'));
  const second = line.indexOf(SPACE, first + 1);
  const sizeText = line.toString('latin1', first + 1, second === -1 ? line.length : second);
  const size = /^\+?[0-9]+$/.test(sizeText) ? BigInt(sizeText.replace('+', '')) : -1n;
  if (size < 0n || size > LARGEST_SIZE) throw malformed(where, 'size is not a decimal number below 2^64', sizeText);
  if (second === -1) throw malformed(where, 'space expected after size');
  const sha256 = line.toString('latin1', second + 1);
  if (sha256.includes(' ')) throw malformed(where, 'unexpected space after digest');
  const version = decodeUtf8(line.subarray(0, first));
  if (version === undefined) throw malformed(where, 'version is not UTF-8');
  if (sha256.length !== 64) throw malformed(where, `hash has wrong length: expected 64, found ${sha256.length}`);
  if (!isHex(sha256, 32)) throw malformed(where, 'hash must be lower-case hex', sha256);
  return { version: parseVersion(version), size, sha256 };
}
