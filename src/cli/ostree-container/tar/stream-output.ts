/** Where an exported stream goes. */
import { basename, dirname, resolve } from 'node:path';
import { openDirectory } from '../../../linux/files/directory.ts';
import { StagedFile } from '../../../linux/files/durable.ts';
import { UsageError } from '../../arguments.ts';

/** Ends with `finish` or `discard`. */
export interface Output {
  readonly write: (chunk: Uint8Array) => void | Promise<void>;
  /** Bytes so far. */
  readonly size: number;
  /**
   * Nobody takes what is written: the reader has gone, as `head` does, which is nobody's fault. Whatever else is wrong
   * with standard output the program itself tells, and ends with 1.
   */
  readonly isAbandoned: boolean;
  finish(): void;
  discard(): void;
}

/** @throws UsageError on a terminal */
export function openStandardOutput(): Output {
  if (process.stdout.isTTY) throw new UsageError('an archive is not for a terminal', 'write --output FILE');
  let size = 0;
  let isAbandoned = false;
  return {
    write: (chunk) =>
      new Promise((written, failed) => {
        size += chunk.length;
        process.stdout.write(chunk, (error) => {
          isAbandoned = error !== null && error !== undefined;
          if (isAbandoned) failed(error);
          else written();
        });
      }),
    get size() {
      return size;
    },
    get isAbandoned() {
      return isAbandoned;
    },
    finish: () => undefined,
    discard: () => undefined,
  };
}

/** It has its name when it is whole and on the disk. @throws CodedError NOT_A_DIRECTORY ...; SystemError */
export function openFile(path: string): Output {
  const name = basename(resolve(path));
  const directory = openDirectory(dirname(resolve(path)));
  try {
    const staged = StagedFile.fresh(directory, `.${name}.partial`);
    return {
      write: (chunk) => staged.write(chunk),
      get size() {
        return staged.size;
      },
      isAbandoned: false,
      finish() {
        staged.commit(name, 0o644);
        directory.close();
      },
      discard() {
        staged.discard();
        directory.close();
      },
    };
  } catch (error) {
    directory.close();
    throw error;
  }
}
