/** The system's own lists: `trusted.ed25519`, `trusted.ed25519.d/*` and the same with `revoked`. ostree-sign(1). */
import { codeOf } from '../../base/error.ts';
import { openDirectory } from '../../linux/files/directory.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import type { KeyFile } from '../../trust/index.ts';
import { parseRawKeys } from './raw-key-text.ts';
import type { RawKey, RawKind } from './raw-keys.ts';

/** What the administrator says, and what came with the system. */
export const KEY_FOLDERS: readonly string[] = ['/etc/ostree', '/usr/share/ostree'];

/** As many keys as a keyring of thousands holds. */
export const KEY_FILE_LIMIT = 16 * 2 ** 20;

/** @throws OstreeError CONFIG_MALFORMED: a revocation that cannot be read must not be overlooked */
export function listedKeys(
  list: 'trusted' | 'revoked',
  kind: RawKind,
  folders: readonly string[] = KEY_FOLDERS,
): readonly RawKey[] {
  const files = folders.flatMap((folder) => {
    const path = `${folder}/${list}.${kind}`;
    return [...readIfPresent(path), ...filesIn(`${path}.d`, () => true)];
  });
  return files.flatMap(({ name, bytes }) => parseRawKeys(kind, bytes, name));
}

export function readKeyFile(path: string): KeyFile {
  return { name: path, bytes: readFileBounded(path, KEY_FILE_LIMIT).bytes };
}

function readIfPresent(path: string): readonly KeyFile[] {
  try {
    return [readKeyFile(path)];
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** In the order of their names, hidden ones left out; none without the folder. */
export function filesIn(folder: string, isWanted: (name: string) => boolean): readonly KeyFile[] {
  return namesIn(folder)
    .filter((name) => !name.startsWith('.') && isWanted(name))
    .sort()
    .map((name) => readKeyFile(`${folder}/${name}`));
}

function namesIn(folder: string): readonly string[] {
  try {
    const directory = openDirectory(folder);
    try {
      return directory.list().filter((name) => directory.lstat(name)?.isDirectory() === false);
    } finally {
      directory.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
