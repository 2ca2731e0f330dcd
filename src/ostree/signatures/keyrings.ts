/** Which OpenPGP keyrings speak for a remote. Spec 14. Never that of the user. */
import fs from 'node:fs';
import { readBounded } from '../../linux/files/read.ts';
import type { KeyFile } from '../../trust/index.ts';
import { inheritedKeyring, keyringName } from '../remotes/keyring-file.ts';
import type { Remote } from '../remotes/remote.ts';
import type { Repository } from '../repository/repository.ts';
import { filesIn, KEY_FILE_LIMIT, readKeyFile } from './key-lists.ts';

const GLOBAL_FOLDER = '/usr/share/ostree/trusted.gpg.d';
/** GnuPG's own databases, which are no keyrings. */
const NOT_KEYRINGS = new Set(['trustdb.gpg', 'secring.gpg']);

/** `/usr/share/ostree/trusted.gpg.d/*.gpg`, or the folder that `$OSTREE_GPG_HOME` names instead. */
export function globalKeyrings(env: NodeJS.ProcessEnv = process.env): readonly KeyFile[] {
  const folder = env['OSTREE_GPG_HOME'] ?? '';
  return filesIn(folder === '' ? GLOBAL_FOLDER : folder, isKeyring);
}

/**
 * Its own keyring or, without one, the system's; and in both cases what `gpgkeypath` names.
 * @throws SystemError ENOENT when a file of `gpgkeypath` is not there
 */
export function keyringsOf(repository: Repository, remote: Pick<Remote, 'name' | 'gpgKeyPath'>): readonly KeyFile[] {
  const own = inheritedKeyring(repository, remote.name);
  const first = own === undefined ? globalKeyrings() : [{ name: keyringName(remote.name), bytes: own }];
  return [...first, ...remote.gpgKeyPath.flatMap(readKeyPath)];
}

/** Those of all remotes and of the system, for signatures of which nobody says where they come from. */
export function allKeyrings(repository: Repository): readonly KeyFile[] {
  const found: KeyFile[] = [];
  for (let at: Repository | undefined = repository; at !== undefined; at = at.parent) {
    for (const name of at.directory.list().sort()) {
      if (!name.endsWith('.trustedkeys.gpg')) continue;
      const bytes = readBounded(at.directory, name, KEY_FILE_LIMIT)?.bytes;
      if (bytes !== undefined) found.push({ name, bytes });
    }
  }
  return [...found, ...globalKeyrings()];
}

/** The public keys of a home of GnuPG, old and new form. */
export function keyringsOfHome(folder: string): readonly KeyFile[] {
  return filesIn(folder, (name) => isKeyring(name) || name === 'pubring.kbx');
}

function readKeyPath(path: string): readonly KeyFile[] {
  const isFolder = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? filesIn(path, (name) => !NOT_KEYRINGS.has(name)) : [readKeyFile(path)];
}

function isKeyring(name: string): boolean {
  return name.endsWith('.gpg') && !NOT_KEYRINGS.has(name);
}
