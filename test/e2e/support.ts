/**
 * What the end-to-end tests of `tako` share. The publisher's side is made here, byte by byte and with `node:crypto`
 * alone, so that the program under test is not its own oracle; the client's side is the built program.
 */
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PUBLIC_TEXT, SECRET_TEXT, SEED } from '../../src/tako/manifest/manifest.fixture.ts';
import { freePort } from '../support/nginx.ts';
import { type Finished, type NodeOptions, type Running, runTako, start } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

/** An Ed25519 key in the forms that `tako` prints and reads. */
export interface Pair {
  readonly secretText: string;
  readonly publicText: string;
  /** Base64 of the signature over bytes. */
  sign(bytes: Uint8Array): string;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** The DER wrapping of a raw Ed25519 seed (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function pairOf(seedHex: string): Pair {
  const seed = Buffer.from(seedHex, 'hex');
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const open: KeyObject = createPublicKey(secret);
  const raw = open.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    secretText: `SECRET+${Buffer.concat([seed, raw, raw]).toString('base64')}`,
    publicText: raw.toString('base64'),
    sign: (bytes) => sign(null, bytes, secret).toString('base64'),
    verify: (bytes, signature) => verify(null, bytes, open, signature),
  };
}

/** The key of the test vector signs unless a test says otherwise. */
export const ALICE = pairOf(SEED);
assert.deepEqual([ALICE.secretText, ALICE.publicText], [SECRET_TEXT, PUBLIC_TEXT]);
/** A key that no host is told to trust. */
export const MALLORY = pairOf('66'.repeat(32));
/** The key that follows Alice's. */
export const BERTA = pairOf('b0'.repeat(32));

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Versions and the contents of their images, oldest first. */
export type Images = Readonly<Record<string, string | Uint8Array>>;

/** A manifest as the original program writes it; `lines` in the order given, whatever they say. */
export function sealLines(lines: readonly string[], by: Pair = ALICE): Buffer {
  const body = Buffer.from(`Tako Manifest 1\n\n${lines.map((line) => `${line}\n`).join('')}\n`);
  return Buffer.concat([body, Buffer.from(`${by.sign(body)}\n`)]);
}

export function manifestOf(images: Images, by: Pair = ALICE): Buffer {
  return sealLines(
    Object.entries(images).map(([version, content]) => `${version} ${content.length} ${sha256(content)}`),
    by,
  );
}

/** Lay out a server directory as the original program leaves it: read-only files, and nothing else. */
export function publish(server: string, images: Images, by: Pair = ALICE): Buffer {
  fs.mkdirSync(join(server, 'store'), { recursive: true });
  for (const content of Object.values(images)) put(join(server, 'store', sha256(content)), content, 0o444);
  const manifest = manifestOf(images, by);
  put(join(server, 'manifest'), manifest, 0o444);
  return manifest;
}

/** A destination as the original program leaves it after its first fetch. */
export function provision(destination: string, images: Images, version: string, by: Pair = ALICE): void {
  publish(destination, images, by);
  fs.symlinkSync(`store/${sha256(images[version] ?? '')}`, join(destination, 'latest'));
}

/** Write a file anew, under a new inode. */
export function put(path: string, content: string | Uint8Array, mode = 0o644): void {
  fs.rmSync(path, { force: true });
  fs.writeFileSync(path, content);
  fs.chmodSync(path, mode);
}

/** Bytes that are the same in every run and compress badly. */
export function noise(length: number, name = 'noise'): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** One publisher, one host. */
export interface Place {
  readonly root: string;
  /** The publisher's directory, empty. */
  readonly server: string;
  /** Alice's secret key. */
  readonly keyFile: string;
  /** The host's destination, empty. */
  readonly destination: string;
  /** `file:` URL of the server directory. */
  readonly origin: string;
}

export function placeIn(root: string): Place {
  const path = (name: string): string => join(root, name);
  for (const name of ['server', 'host']) fs.mkdirSync(path(name), { mode: 0o755 });
  fs.writeFileSync(path('app.key'), `${ALICE.secretText}\n`, { mode: 0o600 });
  const server = path('server');
  return { root, server, keyFile: path('app.key'), destination: path('host'), origin: `file://${server}/` };
}

export function newPlace(t: TestContext): Place {
  return placeIn(scratch(t));
}

export interface Settings {
  readonly origin?: string | readonly string[];
  readonly key?: string | readonly string[];
  readonly version?: string;
  readonly destination?: string;
  /** Further lines. */
  readonly more?: readonly string[];
  /** Name of the file; default `app`. */
  readonly name?: string;
  readonly mode?: number;
}

/** Write a configuration: Alice's key, any version, `file:` origin unless told otherwise. Its path comes back. */
export function configure(place: Place, settings: Settings = {}): string {
  const { origin = place.origin, key = ALICE.publicText, version = '*', more = [] } = settings;
  const path = join(place.root, settings.name ?? 'app');
  const lines = [
    ...[origin].flat().map((url) => `Origin=${url}`),
    ...[key].flat().map((text) => `PublicKey=${text}`),
    `Version=${version}`,
    `Destination=${settings.destination ?? place.destination}`,
    ...more,
  ];
  put(path, `${lines.join('\n')}\n`, settings.mode ?? 0o644);
  return path;
}

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly subject: string | null;
}

/** What `tako fetch --json` says about one configuration; of one that failed there is only the error. */
export interface FetchResult {
  readonly config: string;
  readonly outcome?: string;
  readonly version?: string | null;
  readonly digest?: string | null;
  readonly size?: number;
  readonly previousVersion?: string | null;
  readonly newestVersion?: string | null;
  readonly bytes?: number;
  readonly removed?: readonly string[];
  readonly error: ErrorDocument | null;
}

export interface Answer<Document> extends Finished {
  readonly document: Document;
}

/** Run `tako` with `--json` and read the one document that it prints. */
export async function takoJson<Document = Record<string, unknown>>(
  args: readonly string[],
  options: NodeOptions = {},
): Promise<Answer<Document>> {
  const [command = '', ...rest] = args;
  const ended = await runTako([command, '--json', ...rest], options); // rest may hold a "--"

  try {
    return { ...ended, document: JSON.parse(ended.stdout) as Document }; // the caller knows the schema it asked for
  } catch (cause) {
    throw new Error(`tako ${args.join(' ')}: status ${ended.status}: ${ended.stdout}${ended.stderr}`, { cause });
  }
}

/** `tako fetch` of one configuration: exit status, its result, and what was said. */
export async function fetch(config: string, options: readonly string[] = [], how: NodeOptions = {}) {
  return oneResult(await takoJson(['fetch', ...options, config], how));
}
export async function apply(config: string, options: readonly string[] = []) {
  return oneResult(await takoJson(['apply', ...options, config]));
}

function oneResult({ status, stderr, document }: Answer<Record<string, unknown>>) {
  const results = document['results'] as readonly FetchResult[] | undefined;
  const [result] = results ?? [{ config: '', error: document as unknown as ErrorDocument }];
  assert.ok(result !== undefined, 'a result for the configuration');
  return { status, stderr, result, code: result.error?.code };
}

/** Fetch, and insist on success. */
export async function fetched(config: string, options: readonly string[] = [], how: NodeOptions = {}) {
  const ended = await fetch(config, options, how);
  assert.equal(ended.status, 0, `${ended.result.error?.message ?? ''}\n${ended.stderr}`);
  return ended.result;
}

/** Publish these versions one after the other, and fetch after each: a host with a past, made by the program itself. */
export async function fetchInTurn(place: Place, config: string, images: Images): Promise<void> {
  const known: Record<string, string | Uint8Array> = {};
  for (const [version, content] of Object.entries(images)) {
    known[version] = content;
    publish(place.server, known);
    await fetched(config);
  }
}

/** Publish with the program, and insist on success. */
export async function store(place: Place, content: string | Uint8Array, version: string): Promise<void> {
  const image = join(place.root, 'image');
  put(image, content);
  const { status, stderr } = await runTako(['store', '-f', place.keyFile, '-o', place.server, image, version]);
  assert.equal(status, 0, stderr);
}

/** What `latest` leads to, undefined when there is no such link; it has to be a relative link to a whole image. */
export function linked(destination: string): string | undefined {
  const link = join(destination, 'latest');
  if (fs.lstatSync(link, { throwIfNoEntry: false }) === undefined) return undefined;
  const target = fs.readlinkSync(link);
  assert.match(target, /^store\/[0-9a-f]{64}$/, 'latest is relative');
  const content = fs.readFileSync(link);
  assert.equal(sha256(content), basename(target), 'latest leads to a whole image');
  return content.toString('latin1');
}

/** Names of the images in a store. */
export function stored(directory: string): string[] {
  const names = fs.existsSync(join(directory, 'store')) ? fs.readdirSync(join(directory, 'store')) : [];
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
}

export function readState(destination: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(join(destination, '.tako', 'state.json'), 'utf8'));
}

/** Change what a destination remembers. */
export function editState(destination: string, change: Record<string, unknown>): void {
  put(join(destination, '.tako', 'state.json'), JSON.stringify({ ...readState(destination), ...change }));
}

/**
 * Every name in a directory with all that matters about it, for a comparison of before and after.
 * `exact` adds inode and the times of last change: then even a rewrite of the same content shows.
 */
export function tree(directory: string, { exact = false, own = true } = {}): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (name: string): void => {
    const path = join(directory, name);
    const stats = fs.lstatSync(path, { bigint: true });
    // Making .tako touches the directory itself.
    const times = exact && (own || name !== '') ? ` ${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs}` : '';
    found[name === '' ? '.' : name] =
      `${(Number(stats.mode) & 0o7777).toString(8)} ${stats.uid} ${content(path)}${times}`;
    if (!stats.isDirectory()) return;
    for (const entry of fs.readdirSync(path).sort()) {
      if (own || name !== '' || entry !== '.tako') visit(join(name, entry));
    }
  };
  visit('');
  return found;
}

function content(path: string): string {
  const stats = fs.lstatSync(path);
  if (stats.isSymbolicLink()) return `-> ${fs.readlinkSync(path)}`;
  if (stats.isFile()) return `${stats.size} bytes ${sha256(fs.readFileSync(path)).slice(0, 16)}`;
  return stats.isDirectory() ? 'directory' : 'special';
}

/** Wait until something is so. */
export async function until(what: string, holds: () => boolean, timeoutMs = 15_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !holds(); await delay(5)) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
  }
}

export function sizeOf(path: string): number {
  return fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The partial download of an image. */
export function partOf(destination: string, image: string | Uint8Array): string {
  return join(destination, 'store', `.${sha256(image)}.part`);
}

/** Another process holds a lock file by flock(1) until it is killed. */
export async function holdLock(t: TestContext, directory: string): Promise<Running> {
  fs.mkdirSync(join(directory, '.tako'), { recursive: true, mode: 0o755 });
  const lock = join(directory, '.tako', 'lock');
  fs.closeSync(fs.openSync(lock, 'a', 0o600));
  const holder = start('flock', [lock, 'sh', '-c', 'echo held; exec sleep 50']);
  t.after(() => holder.kill());
  await holder.says('held');
  return holder;
}

/** An origin at which nobody listens. */
export async function closedOrigin(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/`;
}
