/** `tako check-server`: would every client get what the manifest of this directory promises? Nothing is changed. */
import type { Stats } from 'node:fs';
import { isHex } from '../../base/decode.ts';
import { judgeOwner } from '../../linux/files/owner.ts';
import { compareVersions } from '../../version/index.ts';
import { type Destination, openDestination } from '../destination/destination.ts';
import { inspectImage } from '../destination/images.ts';
import { TakoError } from '../error.ts';
import type { PublicKey } from '../manifest/key.ts';
import { type ManifestEntry, openManifest, readUnverifiedEntries } from '../manifest/manifest.ts';
import { relate } from '../manifest/relation.ts';

export interface Finding {
  /** `problem`: clients fail or refuse; `note`: worth knowing. */
  readonly severity: 'problem' | 'note';
  readonly code:
    | 'DIGEST'
    | 'SIZE'
    | 'MISSING'
    | 'ORDER'
    | 'DUPLICATE'
    | 'MODE'
    | 'OWNER'
    | 'STRAY'
    | 'SIGNATURE'
    | 'NOT_CHECKED'
    | 'NOT_A_SUPERSET';
  readonly subject: string;
  readonly text: string;
}

export interface CheckedServer {
  readonly entries: number;
  readonly images: number;
  readonly findings: readonly Finding[];
}

export interface ServerCheck {
  readonly path: string;
  /** Undefined: the signature is not checked, and a note says so. */
  readonly publicKey: PublicKey | undefined;
  /** The manifest that some client still has. */
  readonly older: Uint8Array | undefined;
}

/** @throws TakoError NO_MANIFEST, INVALID_MANIFEST, INVALID_SIGNATURE_DATA: without entries there is nothing to check */
export async function checkServer(check: ServerCheck, signal: AbortSignal): Promise<CheckedServer> {
  const findings: Finding[] = [];
  const note = (code: Finding['code'], subject: string, text: string): void =>
    void findings.push({ severity: 'note', code, subject, text });
  const problem = (code: Finding['code'], subject: string, text: string): void =>
    void findings.push({ severity: 'problem', code, subject, text });
  const directory = openDestination(check.path, (text) => problem('OWNER', check.path, text));
  try {
    const file = directory.readManifest();
    if (file === undefined)
      throw new TakoError('NO_MANIFEST', `${check.path}: no manifest here`, { subject: check.path });
    const entries = readUnverifiedEntries(file.bytes);
    judgeSignature(check, file.bytes, problem, note);
    judgeOrder(entries, problem, note);
    judgeModes(directory, problem);
    for (const entry of entries) await judgeImage(directory, entry, problem, note, signal);
    judgeStray(directory, entries, note);
    judgeOlder(check, entries, problem);
    const images = new Set(entries.map((entry) => entry.sha256)).size;
    return { entries: entries.length, images, findings };
  } finally {
    directory.close();
  }
}

type Report = (code: Finding['code'], subject: string, text: string) => void;

function judgeSignature({ publicKey }: ServerCheck, bytes: Uint8Array, problem: Report, note: Report): void {
  if (publicKey === undefined)
    return note('NOT_CHECKED', 'manifest', 'its signature was not checked: give --public-key');
  try {
    openManifest(bytes, [publicKey]);
  } catch (error) {
    if (!(error instanceof TakoError) || error.code !== 'INVALID_SIGNATURE') throw error;
    problem('SIGNATURE', 'manifest', 'it is not signed by this key: clients refuse it');
  }
}

function judgeOrder(entries: readonly ManifestEntry[], problem: Report, note: Report): void {
  for (const [i, entry] of entries.entries()) {
    const before = entries[i - 1];
    if (before === undefined) continue;
    const order = compareVersions(before.version, entry.version);
    const { text } = entry.version;
    if (order > 0)
      problem(
        'ORDER',
        text,
        `it stands after ${before.version.text}, which is newer: older clients take the last line`,
      );
    if (order === 0) note('DUPLICATE', text, 'it is listed twice');
  }
}

/** A web server is another user: it must be able to read what it serves. */
function judgeModes(directory: Destination, problem: Report): void {
  const { root, store } = directory;
  const readable = (name: string, stats: Stats | undefined, bits: number): void => {
    if (stats === undefined || (stats.mode & bits) === bits) return;
    problem('MODE', name, `mode ${(stats.mode & 0o7777).toString(8)}: a web server may not be able to read it`);
  };
  readable('.', root.stat(), 0o005);
  readable('manifest', root.lstat('manifest'), 0o004);
  readable('store', store?.stat(), 0o005);
  const manifest = root.lstat('manifest');
  const verdict = manifest && judgeOwner(manifest, { path: 'manifest' });
  if (verdict !== undefined) problem('OWNER', 'manifest', `${verdict.problem}; ${verdict.mend}`);
}

async function judgeImage(
  directory: Destination,
  entry: ManifestEntry,
  problem: Report,
  note: Report,
  signal: AbortSignal,
): Promise<void> {
  const { text } = entry.version;
  const stats = directory.store?.lstat(entry.sha256);
  if (stats === undefined) {
    return note('MISSING', text, 'its image is not in store/: withdrawn? Then let the web server answer 410 for it');
  }
  if (!stats.isFile()) return problem('MODE', text, 'its image is no regular file');
  if (BigInt(stats.size) !== entry.size) {
    return problem('SIZE', text, `its image has ${stats.size} bytes, the manifest says ${entry.size}`);
  }
  if ((stats.mode & 0o004) === 0) problem('MODE', text, 'its image cannot be read by a web server: chmod 444');
  if ((stats.mode & 0o222) !== 0) note('MODE', text, 'its image is writable: images never change, chmod 444');
  if ((await inspectImage(directory.store, entry, true, signal)) !== 'whole') {
    problem('DIGEST', text, 'its image does not have the digest that the manifest says');
  }
}

function judgeStray(directory: Destination, entries: readonly ManifestEntry[], note: Report): void {
  const listed = new Set(entries.map((entry) => entry.sha256));
  for (const name of directory.store?.list() ?? []) {
    if (listed.has(name)) continue;
    note('STRAY', `store/${name}`, isHex(name, 32) ? 'no version names this image' : 'not an image');
  }
}

function judgeOlder({ older }: ServerCheck, entries: readonly ManifestEntry[], problem: Report): void {
  if (older === undefined) return;
  const relation = relate(readUnverifiedEntries(older), entries);
  if (relation !== 'superset') {
    problem('NOT_A_SUPERSET', 'manifest', `a client with the older manifest refuses this one (${relation})`);
  }
}
