/** `<remote>.trustedkeys.gpg` in the repository: the keys that may sign for a remote, as one binary keyring. */

import { readBounded } from '../../linux/files/read.ts';
import type { KeyFile as OpenPgpFile, OpenPgpKeyInfo } from '../../trust/index.ts';
import { OstreeError } from '../error.ts';
import { assertRemoteName } from '../repository/ref-names.ts';
import type { Repository } from '../repository/repository.ts';
import { replaceInRepository } from '../storage/temporary.ts';
import type { ChangeOptions } from './remotes.ts';

/** Thousands of keys. */
const KEYRING_LIMIT = 16 * 2 ** 20;

export function keyringName(remote: string): string {
  return `${assertRemoteName(remote)}.trustedkeys.gpg`;
}

/** Undefined when the remote has no keyring of its own; of this repository, not of its parents. */
export function readKeyringFile(repository: Repository, remote: string): Uint8Array | undefined {
  return readBounded(repository.directory, keyringName(remote), KEYRING_LIMIT)?.bytes;
}

/** That of the repository, or of the nearest parent that has one. */
export function inheritedKeyring(repository: Repository, remote: string): Uint8Array | undefined {
  for (let at: Repository | undefined = repository; at !== undefined; at = at.parent) {
    const found = readKeyringFile(at, remote);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function removeKeyring(repository: Repository, remote: string): boolean {
  const isGone = repository.directory.unlink(keyringName(remote));
  if (isGone) repository.directory.sync();
  return isGone;
}

/** What the keyring of a remote holds; empty without one. */
export async function listKeys(repository: Repository, remote: string): Promise<readonly OpenPgpKeyInfo[]> {
  const bytes = inheritedKeyring(repository, remote);
  if (bytes === undefined) return [];
  const { openKeyring } = await import('../../trust/index.ts');
  return (await openKeyring([{ name: keyringName(remote), bytes }])).keys;
}

export interface ImportedKeys {
  /** Keys that were not in the keyring before. */
  readonly added: readonly OpenPgpKeyInfo[];
  /** All that it holds now. */
  readonly keys: readonly OpenPgpKeyInfo[];
}

export interface KeyImport {
  readonly remote: string;
  readonly files: readonly OpenPgpFile[];
}

/**
 * Merge keys into the keyring of a remote: a revocation in a file counts, and nothing that is there is lost.
 * @throws OstreeError OBJECT_MALFORMED when a file holds no key, or cannot be read
 */
export async function importKeys(
  repository: Repository,
  { remote, files }: KeyImport,
  options: ChangeOptions & { readonly dryRun?: boolean | undefined },
): Promise<ImportedKeys> {
  const { openKeyring } = await import('../../trust/index.ts');
  const { dryRun = false } = options;
  const name = keyringName(remote);
  const given = await openKeyring(files);
  if (given.problems.length > 0) throw badKeys(given.problems.join('; '));
  if (given.keys.length === 0) throw badKeys(`${files.map((file) => file.name).join(', ')}: no key in it`);
  const held = repository.config.locking && !dryRun ? await repository.lock.acquire('exclusive', options) : undefined;
  try {
    const bytes = readKeyringFile(repository, remote);
    const before = bytes === undefined ? [] : [{ name, bytes }];
    const known = new Set((await openKeyring(before)).keys.map((key) => key.fingerprint));
    const merged = await openKeyring([...before, ...files]);
    const text = merged.serialize();
    if (!dryRun && (bytes === undefined || Buffer.compare(bytes, text) !== 0)) {
      const { directory } = repository;
      replaceInRepository(repository, { directory, name }, text, 0o644);
    }
    return { added: merged.keys.filter((key) => !known.has(key.fingerprint)), keys: merged.keys };
  } finally {
    held?.release();
  }
}

function badKeys(text: string): OstreeError {
  return new OstreeError('OBJECT_MALFORMED', text);
}
