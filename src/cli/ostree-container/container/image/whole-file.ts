/** A small file that is there as a whole, or not at all. */
import { basename, dirname, resolve } from 'node:path';
import { openDirectory } from '../../../../linux/files/directory.ts';
import { replaceFile } from '../../../../linux/files/durable.ts';

/** @throws CodedError NOT_A_DIRECTORY, DISK_FULL ...; SystemError */
export function writeWholeFile(path: string, bytes: Uint8Array, mode = 0o644): void {
  const name = basename(resolve(path));
  const directory = openDirectory(dirname(resolve(path)));
  try {
    replaceFile({ directory, name }, { directory, name: `.${name}.partial` }, bytes, mode);
  } finally {
    directory.close();
  }
}
