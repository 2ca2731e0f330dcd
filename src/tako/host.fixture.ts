/** A host and its publisher for the tests of this domain: a real directory, origins and units in memory. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../base/error.ts';
import type { ProgressEvent } from '../base/progress.ts';
import type { UnitControl, UnitStatus } from '../systemd/index.ts';
import { parseVersion } from '../version/index.ts';
import { type Config, parseConfig } from './config/config.ts';
import { EMPTY_STATE, encodeState, type Owed, STATE_SCHEMA, type State } from './destination/state.ts';
import type { SecretKey } from './manifest/key.ts';
import { PUBLIC_TEXT, secret } from './manifest/manifest.fixture.ts';
import { type ManifestEntry, sealManifest } from './manifest/manifest.ts';
import type { Result, RunPorts } from './update/advance.ts';
import { type FetchOptions, fetchImage } from './update/fetch.ts';
import type { ImageSink, Origin, ReceivedManifest } from './update/origin.ts';

export const never: AbortSignal = new AbortController().signal;
/** A Friday, and what the state makes of it. */
export const NOW = Date.parse('2024-03-01T12:00:00Z');
export const AT = '2024-03-01T12:00:00Z';

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Versions and the contents of their images. */
export type Images = Readonly<Record<string, string | Uint8Array>>;

export function entryOf(version: string, content: string | Uint8Array): ManifestEntry {
  return { version: parseVersion(version), size: BigInt(Buffer.byteLength(content)), sha256: sha256(content) };
}

export function manifestFile(images: Images, by: SecretKey = secret): Uint8Array {
  return sealManifest(
    Object.entries(images).map(([version, content]) => entryOf(version, content)),
    by,
  );
}

/** What an origin does with one image instead of giving it. */
export type Trouble =
  /** At once. */
  | { readonly error: CodedError }
  /** After so many bytes of this request. */
  | { readonly after: number; readonly error: CodedError }
  /** Other bytes than the publisher's. */
  | { readonly content: string | Uint8Array }
  /** It cannot begin in the middle: everything is sent again. */
  | { readonly restarts: true };

export class MemoryOrigin implements Origin {
  readonly shown: string;
  /** `manifest`, or the first byte and the version of an image that was asked for. */
  readonly asked: string[] = [];
  readonly troubles = new Map<string, Trouble>();
  images: Images;
  manifest: Uint8Array;
  manifestError: Error | undefined;
  etag: string | undefined;
  chunkBytes = 4;
  /** Called before each chunk of an image. */
  onChunk: () => void = () => undefined;

  constructor(images: Images = {}, name = 'a') {
    this.shown = `https://${name}.example.com/`;
    this.images = images;
    this.manifest = manifestFile(images);
  }

  publish(images: Images, by: SecretKey = secret): void {
    this.images = images;
    this.manifest = manifestFile(images, by);
  }

  async readManifest(etag: string | undefined): Promise<ReceivedManifest> {
    this.asked.push('manifest');
    if (this.manifestError !== undefined) throw this.manifestError;
    if (etag !== undefined && etag === this.etag) return { kind: 'unchanged' };
    return { kind: 'document', bytes: this.manifest, etag: this.etag };
  }

  async readImage(digest: string, sink: ImageSink, signal: AbortSignal): Promise<void> {
    const [version, original = ''] =
      Object.entries(this.images).find(([, content]) => sha256(content) === digest) ??
      assert.fail(`nobody publishes ${digest}`);
    this.asked.push(`${version}@${sink.offset}`);
    const trouble = this.troubles.get(version);
    if (trouble !== undefined && 'error' in trouble && !('after' in trouble)) throw trouble.error;
    const content = Buffer.from(
      (trouble !== undefined && 'content' in trouble ? trouble.content : original) as Uint8Array,
    );
    if (content.length !== sink.size) throw new CodedError('HTTP_LENGTH', 'of another length');
    let start = sink.offset;
    if (trouble !== undefined && 'restarts' in trouble && start > 0) {
      sink.onRestart();
      start = 0;
    }
    const end = trouble !== undefined && 'after' in trouble ? start + trouble.after : content.length;
    const room = Buffer.alloc(this.chunkBytes); // the same memory again and again, as a socket does it
    for (let at = start; at < Math.min(end, content.length); at += room.length) {
      this.onChunk();
      signal.throwIfAborted();
      const length = content.copy(room, 0, at, Math.min(at + room.length, end));
      sink.onChunk(room.subarray(0, length));
      await Promise.resolve();
    }
    if (trouble !== undefined && 'after' in trouble) throw trouble.error;
  }

  /** The requests since the last call. */
  requests(): string[] {
    return this.asked.splice(0);
  }
}

const RUNNING: UnitStatus = {
  unit: '',
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  result: 'success',
  type: 'simple',
  invocation: 'first',
  restarts: 0,
};

/** Units that run, unless `looks` says otherwise. */
export class MemoryUnits implements UnitControl {
  /** `restart a b`, `reload c`; looks are not noted. */
  readonly calls: string[] = [];
  looks: (unit: string) => Partial<UnitStatus> = () => ({});
  /** During a restart or reload, before it succeeds; may throw. */
  onJob: (call: string) => void | Promise<void> = () => undefined;

  async restart(units: readonly string[]): Promise<void> {
    await this.#job(`restart ${units.join(' ')}`);
  }

  async reload(units: readonly string[]): Promise<void> {
    await this.#job(`reload ${units.join(' ')}`);
  }

  async show(units: readonly string[]): Promise<readonly UnitStatus[]> {
    return units.map((unit) => ({ ...RUNNING, unit, ...this.looks(unit) }));
  }

  /** The jobs since the last call. */
  jobs(): string[] {
    return this.calls.splice(0);
  }

  async #job(call: string): Promise<void> {
    this.calls.push(call);
    await this.onJob(call);
  }
}

export const FAILED: Partial<UnitStatus> = { activeState: 'failed', subState: 'failed', result: 'exit-code' };

/** Larger is graver; what is not listed is of no weight. */
const GRAVITY = ['HTTP_UNREACHABLE', 'HTTP_NOT_FOUND', 'OLDER_MANIFEST', 'INVALID_SIGNATURE', 'INVALID_DIGEST'];

export class Host {
  readonly path: string;
  readonly units = new MemoryUnits();
  readonly events: ProgressEvent[] = [];
  origins: Origin[] = [];
  now = NOW;
  waits = 0;
  /** Lines of the configuration beside the required ones, `Version=*` unless one says otherwise. */
  settings: readonly string[];

  /** Below `root`, a directory of the test's own. */
  constructor(root: string, settings: readonly string[] = [], origins: readonly Origin[] = []) {
    this.path = join(root, 'host');
    fs.mkdirSync(this.path);
    fs.chmodSync(this.path, 0o755);
    this.settings = settings;
    this.origins = [...origins];
  }

  get config(): Config {
    const own = this.settings.some((line) => line.startsWith('Version=')) ? [] : ['Version=*'];
    const quick = this.settings.some((line) => line.startsWith('HealthSec=')) ? [] : ['HealthSec=0'];
    const lines = [
      'Origin=https://a.example.com/',
      `PublicKey=${PUBLIC_TEXT}`,
      `Destination=${this.path}`,
      ...own,
      ...quick,
      ...this.settings,
    ];
    return parseConfig(Buffer.from(`${lines.join('\n')}\n`), join(this.path, '..', 'app'));
  }

  get ports(): RunPorts {
    return {
      now: () => this.now,
      progress: (event) => void this.events.push(event),
      wait: { timeoutMs: 0, onWait: () => void this.waits++ },
      units: this.units,
      origins: this.origins,
      gravity: (error) => GRAVITY.indexOf(error instanceof CodedError ? error.code : ''),
    };
  }

  fetch(options: Partial<FetchOptions> = {}, signal: AbortSignal = never): Promise<Result> {
    const whole = { init: false, verifyStored: true, mode: 'fetch', dryRun: false, ...options } as const;
    return fetchImage(this.config, whole, this.ports, signal);
  }

  /** The version that `latest` names among these images, or the text of the link, or undefined. */
  latest(images: Images = {}): string | undefined {
    const stats = fs.lstatSync(join(this.path, 'latest'), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const text = fs.readlinkSync(join(this.path, 'latest'));
    return Object.entries(images).find(([, content]) => text === `store/${sha256(content)}`)?.[0] ?? text;
  }

  /** As it is on the disk, or the empty one. */
  state(): State {
    const path = join(this.path, '.tako/state.json');
    if (!fs.existsSync(path)) return EMPTY_STATE;
    const { schema, ...state } = JSON.parse(fs.readFileSync(path, 'utf8'));
    assert.equal(schema, STATE_SCHEMA);
    return state;
  }

  remember(state: Partial<State>): void {
    fs.mkdirSync(join(this.path, '.tako'), { recursive: true });
    fs.writeFileSync(join(this.path, '.tako/state.json'), encodeState({ ...EMPTY_STATE, ...this.state(), ...state }));
  }

  /** Names in `store/`, sorted; undefined when there is no such directory. */
  stored(): string[] | undefined {
    const store = join(this.path, 'store');
    return fs.existsSync(store) ? fs.readdirSync(store).sort() : undefined;
  }

  holds(content: string | Uint8Array): boolean {
    const path = join(this.path, 'store', sha256(content));
    return fs.existsSync(path) && Buffer.compare(fs.readFileSync(path), Buffer.from(content as Uint8Array)) === 0;
  }

  /** As an earlier run left it: a manifest, some images, and a link to one of them. */
  provision(images: Images, linked?: string, stored: readonly string[] = Object.keys(images)): void {
    writeAnew(join(this.path, 'manifest'), manifestFile(images), 0o444);
    for (const version of stored) this.store(images[version] ?? assert.fail(`no image ${version}`));
    if (linked !== undefined) this.link(images[linked] ?? assert.fail(`no image ${linked}`));
  }

  store(content: string | Uint8Array, name: string = sha256(content), mode = 0o444): string {
    fs.mkdirSync(join(this.path, 'store'), { recursive: true, mode: 0o755 });
    const path = join(this.path, 'store', name);
    writeAnew(path, content, mode);
    return path;
  }

  link(content: string | Uint8Array): void {
    fs.rmSync(join(this.path, 'latest'), { force: true });
    fs.symlinkSync(`store/${sha256(content)}`, join(this.path, 'latest'));
  }

  /** Texts of warnings and notes so far. */
  texts(kind: 'warning' | 'note'): string[] {
    return this.events.flatMap((event) => (event.kind === kind ? [event.text] : []));
  }

  /** Every name below the destination with kind, mode, size, inode and link text: equal means untouched. */
  snapshot(): string[] {
    return listTree(this.path);
  }
}

function writeAnew(path: string, content: string | Uint8Array, mode: number): void {
  fs.rmSync(path, { force: true });
  fs.writeFileSync(path, content);
  fs.chmodSync(path, mode);
}

/** Where access times are not looked at, this is all that a change would show in. */
export function listTree(path: string): string[] {
  return fs
    .readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stats = fs.lstatSync(join(path, name));
      const link = stats.isSymbolicLink() ? ` -> ${fs.readlinkSync(join(path, name))}` : '';
      return `${name}${link} ${stats.mode.toString(8)} ${stats.isFile() ? stats.size : ''} ${stats.ino} ${stats.mtimeMs}`;
    });
}

/** The debt of a run that was killed; its runner is nobody. */
export function debt(
  image: string | Uint8Array,
  previous: string | Uint8Array | undefined,
  more: Partial<Owed> = {},
): Owed {
  return {
    restart: ['app.service'],
    reload: [],
    image: sha256(image),
    previous: previous === undefined ? null : sha256(previous),
    reason: 'update',
    at: '2024-03-01T11:00:00Z',
    runner: { pid: 2 ** 22 + 1, startTime: 1, bootId: 'another-boot', startedAt: 0 },
    ...more,
  };
}
