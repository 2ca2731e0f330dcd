/** One storage on the disk, of one driver. It is only read; the tools' own locks are respected where that is possible. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable, quote } from '../../base/text.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { ofdLock } from '../../linux/processes/lock.ts';
import { MANIFEST_LIMIT } from '../json.ts';
import { StorageError } from './error.ts';
import { bigDataFile, type ImageRecord, type LayerRecord, parseImages, parseLayers, RECORDS_LIMIT } from './records.ts';

export type Driver = 'overlay' | 'vfs';

/** In this order, as the tools look for what an earlier run has used. */
const DRIVERS: readonly Driver[] = ['overlay', 'vfs'];
const LOCK_TIMEOUT_MS = 30_000;

export class Store {
  readonly driver: Driver;
  readonly #root: Directory;

  private constructor(root: Directory, driver: Driver) {
    this.#root = root;
    this.driver = driver;
  }

  /**
   * @param driver undefined: the one that has images there
   * @throws StorageError STORAGE_MISSING, STORAGE_UNSUPPORTED; CodedError NOT_A_DIRECTORY, UNSAFE_LINK; SystemError
   */
  static open(path: string, driver: string | undefined): Store {
    const root = openRoot(path);
    try {
      return new Store(root, driver === undefined ? presentDriver(root) : knownDriver(driver, path));
    } catch (error) {
      root.close();
      throw error;
    }
  }

  get path(): string {
    return this.#root.path;
  }

  /** No file means no images. @throws StorageError STORAGE_MALFORMED */
  async images(signal: AbortSignal): Promise<readonly ImageRecord[]> {
    return this.#records('images', parseImages, signal);
  }

  /** Without those that only running containers have. @throws StorageError STORAGE_MALFORMED */
  async layers(signal: AbortSignal): Promise<readonly LayerRecord[]> {
    return this.#records('layers', parseLayers, signal);
  }

  /** Manifests, configurations. Undefined when there is none. @throws CodedError TOO_LARGE */
  bigData(image: string, key: string): Uint8Array | undefined {
    return this.#within([`${this.driver}-images`, image], (directory) =>
      readBounded(directory, bigDataFile(key), MANIFEST_LIMIT),
    )?.bytes;
  }

  /** The record of how a layer's tar was made, compressed. The caller closes it. */
  openTarSplit(layer: string): { readonly fd: number; readonly stats: fs.Stats } | undefined {
    return this.#within([`${this.driver}-layers`], (directory) => directory.openRegular(`${layer}.tar-split.gz`));
  }

  /** The files of a layer. The caller closes it. */
  openLayerFiles(layer: string): Directory | undefined {
    return this.driver === 'overlay'
      ? this.#within(['overlay', layer], (directory) => directory.openDirectory('diff'))
      : this.#within(['vfs', 'dir'], (directory) => directory.openDirectory(layer));
  }

  /**
   * Keep the tools from changing images or layers: shared, as they do it themselves. Nothing is locked without koffi,
   * nor where we may not read the file.
   * @throws CodedError LOCK_TIMEOUT
   */
  async lock(what: 'images' | 'layers', signal: AbortSignal): Promise<() => void> {
    if (systemCalls() === undefined) return () => undefined;
    const name = `${what}.lock`;
    const file = this.#within([`${this.driver}-${what}`], (directory) =>
      unlessForbidden(() => directory.openRegular(name)),
    );
    if (file === undefined) return () => undefined;
    try {
      const path = `${this.path}/${this.driver}-${what}/${name}`;
      await ofdLock(file.fd, 'shared', { timeoutMs: LOCK_TIMEOUT_MS, signal, path });
    } catch (error) {
      fs.closeSync(file.fd);
      throw error;
    }
    return () => fs.closeSync(file.fd);
  }

  /** A second time does nothing. */
  close(): void {
    this.#root.close();
  }

  async #records<T>(
    what: 'images' | 'layers',
    parse: (bytes: Uint8Array, path: string) => readonly T[],
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    const release = await this.lock(what, signal);
    try {
      const folder = `${this.driver}-${what}`;
      const bytes = this.#within([folder], (directory) => readBounded(directory, `${what}.json`, RECORDS_LIMIT))?.bytes;
      return bytes === undefined || bytes.length === 0 ? [] : parse(bytes, `${this.path}/${folder}/${what}.json`);
    } finally {
      release();
    }
  }

  /** Undefined when one of the directories is absent. */
  #within<T>(names: readonly string[], work: (directory: Directory) => T | undefined): T | undefined {
    const opened: Directory[] = [];
    try {
      let at = this.#root;
      for (const name of names) {
        const next = at.openDirectory(name);
        if (next === undefined) return undefined;
        opened.push(next);
        at = next;
      }
      return work(at);
    } finally {
      for (const directory of opened) directory.close();
    }
  }
}

function openRoot(path: string): Directory {
  try {
    return openDirectory(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new StorageError('STORAGE_MISSING', `${printable(path)}: there is no storage`, {
      cause: error,
      hint: 'name it as containers-storage:[overlay@/PATH]NAME',
      subject: path,
    });
  }
}

function presentDriver(root: Directory): Driver {
  const found = DRIVERS.find((driver) => root.lstat(`${driver}-images`) !== undefined);
  if (found !== undefined) return found;
  throw new StorageError('STORAGE_MISSING', `${printable(root.path)}: has no images of overlay or vfs`, {
    subject: root.path,
  });
}

/** `overlay2` is an old name. */
function knownDriver(text: string, path: string): Driver {
  const found = DRIVERS.find((driver) => driver === (text === 'overlay2' ? 'overlay' : text));
  if (found !== undefined) return found;
  throw new StorageError('STORAGE_UNSUPPORTED', `${printable(path)}: driver ${quote(text)} is not supported`, {
    hint: 'overlay and vfs are; write the image to a file with "podman save", and use docker-archive:FILE',
    subject: path,
  });
}

function unlessForbidden<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
