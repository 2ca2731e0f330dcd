/**
 * A destination on the disk: `manifest`, `store/HEX`, `latest -> store/HEX`, and `.tako/` for our own memory.
 *
 * It is opened once, by walking its path without following links where somebody else may write; from then on every
 * name is reached through that descriptor. Everything durable is synchronous: one write, one flush, one rename.
 */
import type { Stats } from 'node:fs';
import { isHex } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceFile, replaceLink } from '../../linux/files/durable.ts';
import { assertSafeOwner, judgeOwner } from '../../linux/files/owner.ts';
import { readBounded } from '../../linux/files/read.ts';
import { type Lock, lockFile } from '../../linux/processes/lock.ts';
import { TakoError } from '../error.ts';
import { MANIFEST_LIMIT } from '../manifest/manifest.ts';
import { type DecodedState, decodeState, EMPTY_STATE, encodeState, STATE_LIMIT, type State } from './state.ts';

const STORE = 'store';
const OWN = '.tako';
const MANIFEST = 'manifest';
const LATEST = 'latest';
const STATE = 'state.json';

export interface LockWait {
  readonly timeoutMs: number;
  readonly onWait: () => void;
}

export class Destination {
  readonly path: string;
  readonly #root: Directory;
  #store: Directory | undefined;
  #own: Directory | undefined;

  constructor(path: string, root: Directory, store: Directory | undefined, own: Directory | undefined) {
    this.path = path;
    this.#root = root;
    this.#store = store;
    this.#own = own;
  }

  /** Tells destinations apart whatever their paths: two configurations may name one directory. */
  get identity(): string {
    const { dev, ino } = this.#root.stat();
    return `${dev}:${ino}`;
  }

  get root(): Directory {
    return this.#root;
  }

  /** The directory `store/`, undefined before the first image. */
  get store(): Directory | undefined {
    return this.#store;
  }

  /** Wait for the lock, and see what the one who had it has made. */
  async lock(wait: LockWait, signal: AbortSignal): Promise<Lock> {
    const lock = await lockFile(this.#openOwn(), 'lock', { ...wait, signal });
    try {
      this.#store ??= openInner(this.#root, STORE, this.path, 'refuse');
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  openStore(): Directory {
    this.#store ??= this.#root.makeDirectory(STORE, 0o755);
    return this.#store;
  }

  /** The stored manifest; undefined when there is none. */
  readManifest(): { readonly bytes: Uint8Array; readonly modifiedMs: number } | undefined {
    const file = readBounded(this.#root, MANIFEST, MANIFEST_LIMIT);
    return file && { bytes: file.bytes, modifiedMs: file.stats.mtimeMs };
  }

  writeManifest(bytes: Uint8Array): void {
    const temporary = { directory: this.#openOwn(), name: 'manifest.tmp' };
    replaceFile({ directory: this.#root, name: MANIFEST }, temporary, bytes, 0o444);
  }

  /**
   * The image (hex) that `latest` names; undefined when it is absent or names something else.
   * @throws TakoError LATEST_NOT_A_LINK when something is there that is no link
   */
  readLatest(): string | undefined {
    const stats = this.#root.lstat(LATEST);
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink()) {
      throw new TakoError('LATEST_NOT_A_LINK', `${this.path}/${LATEST} is not a symbolic link`, {
        hint: 'move it away; it is replaced on every update',
        subject: this.path,
      });
    }
    const [directory, name, extra] = (this.#root.readLink(LATEST) ?? '').split('/');
    return directory === STORE && name !== undefined && isHex(name, 32) && extra === undefined ? name : undefined;
  }

  switchLatest(sha256: string): void {
    const temporary = { directory: this.#openOwn(), name: 'latest.tmp' };
    replaceLink({ directory: this.#root, name: LATEST }, temporary, `${STORE}/${sha256}`);
  }

  /** As if empty, with a warning, when it is lost, damaged or from a newer program. */
  async readState(warn: (text: string) => void): Promise<State> {
    const decoded = await this.#decodeState();
    if (decoded === undefined) return EMPTY_STATE;
    if (decoded.kind === 'state') return decoded.state;
    const reason = decoded.kind === 'newer' ? `written by a newer program (${decoded.schema})` : decoded.reason;
    warn(`${this.path}/${OWN}/${STATE}: ${reason}; going on as if it were empty`);
    return EMPTY_STATE;
  }

  /** A state that could not be read, damaged or a newer program's, is kept beside: holds and skips may be wanted back. */
  async writeState(state: State): Promise<void> {
    const own = this.#openOwn();
    const old = await this.#decodeState();
    if (old !== undefined && old.kind !== 'state') own.rename(STATE, own, `${STATE}.unread`);
    const bytes = encodeState(state);
    if (old?.kind === 'state' && Buffer.compare(encodeState(old.state), bytes) === 0) return;
    replaceFile({ directory: own, name: STATE }, { directory: own, name: `${STATE}.tmp` }, bytes, 0o644);
  }

  /** Names in the root that this program, or the reference before it, may have left behind when it was killed. */
  removeTemporaries(isStale: (stats: Stats) => boolean): void {
    const stale: readonly (readonly [Directory, string])[] = [
      [this.#openOwn(), 'manifest.tmp'],
      [this.#openOwn(), 'latest.tmp'],
      [this.#openOwn(), `${STATE}.tmp`],
    ];
    for (const [directory, name] of stale) directory.unlink(name);
    const reference = this.#root.lstat('manifest.new');
    if (reference?.isFile() && isStale(reference)) this.#root.unlink('manifest.new');
  }

  close(): void {
    this.#store?.close();
    this.#own?.close();
    this.#root.close();
  }

  async #decodeState(): Promise<DecodedState | undefined> {
    if (this.#own === undefined) return undefined;
    try {
      const file = readBounded(this.#own, STATE, STATE_LIMIT);
      return file && (await decodeState(file.bytes));
    } catch (error) {
      if (codeOf(error) !== 'TOO_LARGE') throw error;
      return { kind: 'damaged', reason: `larger than ${STATE_LIMIT} bytes` };
    }
  }

  #openOwn(): Directory {
    this.#own ??= this.#root.makeDirectory(OWN, 0o755);
    return this.#own;
  }
}

/**
 * Open a destination and judge who else could change it.
 * @param unsafe what to do when another ordinary user owns or may write a directory: refuse (commands that change
 *   something), or say so and go on (commands that only read)
 * @throws CodedError UNSAFE_OWNER, UNSAFE_LINK, NOT_A_DIRECTORY
 */
export function openDestination(path: string, unsafe: 'refuse' | ((warning: string) => void)): Destination {
  const root = openRoot(path);
  const opened: Directory[] = [root];
  try {
    judge(root, path, unsafe);
    const inner = (name: string): Directory | undefined => {
      const directory = openInner(root, name, path, unsafe);
      if (directory !== undefined) opened.push(directory);
      return directory;
    };
    return new Destination(path.replace(/(?<=.)\/+$/, ''), root, inner(STORE), inner(OWN));
  } catch (error) {
    for (const directory of opened) directory.close();
    throw error;
  }
}

function openInner(
  root: Directory,
  name: string,
  path: string,
  unsafe: 'refuse' | ((warning: string) => void),
): Directory | undefined {
  const directory = root.openDirectory(name);
  try {
    if (directory !== undefined) judge(directory, `${path.replace(/\/+$/, '')}/${name}`, unsafe);
    return directory;
  } catch (error) {
    directory?.close();
    throw error;
  }
}

function openRoot(path: string): Directory {
  try {
    return openDirectory(path);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new TakoError('NO_DIRECTORY', `${path}: no such directory`, {
      hint: `mkdir -p -m 755 ${path}`,
      subject: path,
    });
  }
}

function judge(directory: Directory, path: string, unsafe: 'refuse' | ((warning: string) => void)): void {
  const stats = directory.stat();
  if (unsafe === 'refuse') return assertSafeOwner(stats, { path });
  const verdict = judgeOwner(stats, { path });
  if (verdict !== undefined) unsafe(`${path}: ${verdict.problem}; ${verdict.mend}`);
}
