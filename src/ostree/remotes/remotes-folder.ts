/** `/etc/ostree/remotes.d/*.conf`: remotes in files of their own, where the repository's configuration asks for it. */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
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

/** The file that is named after a remote, which may hold others as well; empty when there is none. */
export function remotesFileOf(folder: string, remote: string): RemotesFile {
  const name = `${remote}${SUFFIX}`;
  const found = readRemotesFolder(folder).find((each) => each.name === name);
  return found ?? { name, file: KeyFile.parse('', name) };
}

/** Made or replaced as a whole, as readable as it was; one without groups goes. */
export function writeRemotesFile(folder: string, { name, file }: RemotesFile): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const directory = openDirectory(folder);
  try {
    removeLeftovers(directory, name);
    if (file.groups.length === 0) {
      directory.unlink(name);
      directory.sync();
      return;
    }
    const mode = (directory.lstat(name)?.mode ?? 0o644) & 0o777;
    const temporary = { directory, name: `.${name}-${process.pid}` };
    replaceFile({ directory, name }, temporary, Buffer.from(file.format()), mode);
  } finally {
    directory.close();
  }
}

/**
 * Temporary names of killed runs. The folder is shared by repositories with a lock each: somebody who is writing this
 * very file loses his temporary one, fails, and has changed nothing.
 */
function removeLeftovers(directory: Directory, name: string): void {
  for (const each of directory.list()) {
    if (each.startsWith(`.${name}-`) && /^[0-9]+$/.test(each.slice(name.length + 2))) directory.unlink(each);
  }
}

function within<T>(folder: string, read: (directory: Directory) => readonly T[]): readonly T[] {
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
