/**
 * An archive on its way: its blobs lie in a hidden layout beside the file, which they grow in and are verified in, and
 * at the end all of it is packed. What a killed run has staged is found again under the same name.
 */
import fs from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { StagedFile } from '../../linux/files/staged-file.ts';
import { createLayout, type LayoutWriter, type LayoutWriterOptions } from '../layout/layout-writer.ts';

const FILE_MODE = 0o644;

/** Ends with one of `commit`, `discard` and `close`; afterwards the others do nothing. */
export class StagedArchive {
  readonly layout: LayoutWriter;
  readonly #directory: Directory;
  readonly #name: string;
  #isOpen = true;

  private constructor(directory: Directory, name: string, layout: LayoutWriter) {
    this.#directory = directory;
    this.#name = name;
    this.layout = layout;
  }

  /** @throws CodedError LOCK_TIMEOUT, NOT_A_DIRECTORY; SystemError ENOENT when the directory does not exist */
  static async begin(path: string, options: LayoutWriterOptions): Promise<StagedArchive> {
    const absolute = resolve(path);
    const directory = openDirectory(dirname(absolute));
    const name = basename(absolute);
    try {
      const staging = `${dirname(absolute)}/${stagingName(name)}`;
      return new StagedArchive(directory, name, await createLayout(staging, { ...options, startEmpty: true }));
    } catch (error) {
      directory.close();
      throw error;
    }
  }

  get path(): string {
    return this.#directory.pathOf(this.#name);
  }

  /** The archive under its name, durable. @param pack writes all of it; what it throws leaves the name as it was */
  async commit(pack: (write: (chunk: Uint8Array) => void) => Promise<void>): Promise<void> {
    const staged = StagedFile.fresh(this.#directory, `${stagingName(this.#name)}.tar`);
    try {
      await pack((chunk) => staged.write(chunk));
      staged.commit(this.#name, FILE_MODE);
    } catch (error) {
      staged.discard();
      throw error;
    }
    this.discard();
  }

  /** Without an archive, and without leaving anything. */
  discard(): void {
    if (!this.#isOpen) return;
    const path = this.#directory.at(stagingName(this.#name));
    naming(this.layout.path, () => fs.rmSync(path, { recursive: true, force: true })); // never follows a link
    this.close();
  }

  /** What is staged stays, for the next run. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.layout.close();
    this.#directory.close();
  }
}

/** Hidden, and found again by the next run. */
function stagingName(name: string): string {
  return `.${name}.partial`;
}
