/** `/etc/ostree/remotes.d/*.conf`: remotes in files of their own, where the repository's configuration asks for it. */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { openDirectory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import { KeyFile } from '../repository/key-file.ts';
import type { Repository } from '../repository/repository.ts';

export const REMOTES_FOLDER = '/etc/ostree/remotes.d';
const SUFFIX = '.conf';
const FILE_LIMIT = 2 ** 20;

export interface RemotesFile {
  readonly name: string;
  readonly file: KeyFile;
}

/** `core.add-remotes-config-dir`; libostree's default of true for the system's own repository needs a sysroot. */
export function usesRemotesFolder(repository: Repository): boolean {
  return repository.keyFile.boolean('core', 'add-remotes-config-dir') === true;
}

/** In the order of their names; none when the folder is absent. @throws OstreeError CONFIG_MALFORMED */
export function readRemotesFolder(folder: string): readonly RemotesFile[] {
  return within(folder, (directory) => {
    const names = directory.list().filter((name) => name.endsWith(SUFFIX));
    return names.sort().flatMap((name) => {
      const found = readBounded(directory, name, FILE_LIMIT);
      if (found === undefined) return [];
      const text = decodeUtf8(found.bytes);
      if (text === undefined) {
        throw new OstreeError('CONFIG_MALFORMED', `${printable(directory.pathOf(name))}: not UTF-8`);
      }
      return [{ name, file: KeyFile.parse(text, directory.pathOf(name)) }];
    });
  });
}

/** One remote, in a file named after it. */
export function writeRemotesFile(folder: string, remote: string, file: KeyFile): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeNamed(folder, `${remote}${SUFFIX}`, file);
}

/** Put back a file from which a remote was taken; without groups it goes. */
export function rewriteRemotesFile(folder: string, { name, file }: RemotesFile): void {
  if (file.groups.length > 0) return writeNamed(folder, name, file);
  const directory = openDirectory(folder);
  try {
    directory.unlink(name);
    directory.sync();
  } finally {
    directory.close();
  }
}

function writeNamed(folder: string, name: string, file: KeyFile): void {
  const directory = openDirectory(folder);
  try {
    const temporary = { directory, name: `.${name}-${process.pid}` };
    replaceFile({ directory, name }, temporary, Buffer.from(file.format()), 0o644);
  } finally {
    directory.close();
  }
}

function within<T>(folder: string, read: (directory: ReturnType<typeof openDirectory>) => readonly T[]): readonly T[] {
  try {
    const directory = openDirectory(folder);
    try {
      return read(directory);
    } finally {
      directory.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
