/** The facts about signatures, for `show`, `log` and `fsck`: nothing is demanded here. */
import type { Vardict } from '../../gvariant/index.ts';
import { GPG_SIGNATURES, signaturesOf } from '../objects/detached.ts';
import type { Remote } from '../remotes/remote.ts';
import { listRemotes, readRemote } from '../remotes/remotes.ts';
import type { Repository } from '../repository/repository.ts';
import { gpgKeys } from './gpg-keys.ts';
import { KEY_FOLDERS, listedKeys } from './key-lists.ts';
import { checkAll, type KeySet } from './key-set.ts';
import { allKeyrings, keyringsOf, keyringsOfHome } from './keyrings.ts';
import { metadataKeyOf, type RawKind, rawKeys } from './raw-keys.ts';
import { rawKeysOf, remoteKeys } from './raw-keys-of-remote.ts';
import type { SignatureReport } from './report.ts';

export interface InspectOptions {
  /** Whose keys count; undefined: those of all remotes and of the system. */
  readonly remote?: string | undefined;
  /** A home of GnuPG whose public keys count, too. */
  readonly gpgHomedir?: string | undefined;
  readonly keyFolders?: readonly string[] | undefined;
  readonly now?: Date | undefined;
}

/** One report for each signature, gpg before ed25519 before spki; keys of absent kinds are not read. */
export async function inspectSignatures(
  repository: Repository,
  data: Uint8Array,
  signatures: Vardict,
  options: InspectOptions = {},
): Promise<readonly SignatureReport[]> {
  const remote = options.remote === undefined ? undefined : readRemote(repository, options.remote);
  const has = (key: string): boolean => signaturesOf(signatures, key).length > 0;
  const sets: KeySet[] = [];
  if (has(GPG_SIGNATURES)) sets.push(gpgSet(repository, remote, options.gpgHomedir));
  for (const kind of ['ed25519', 'spki'] as const) {
    if (has(metadataKeyOf(kind))) sets.push(rawSet(repository, remote, kind, options.keyFolders ?? KEY_FOLDERS));
  }
  const reports: SignatureReport[] = [];
  for (const keys of sets) reports.push(...(await checkAll(keys, data, signatures, options.now ?? new Date())));
  return reports;
}

function gpgSet(repository: Repository, remote: Remote | undefined, home: string | undefined): KeySet {
  const files = remote === undefined ? allKeyrings(repository) : keyringsOf(repository, remote);
  return gpgKeys(home === undefined ? files : [...files, ...keyringsOfHome(home)]);
}

function rawSet(repository: Repository, remote: Remote | undefined, kind: RawKind, folders: readonly string[]): KeySet {
  if (remote !== undefined) return rawKeysOf(remote, kind, folders);
  const ofRemotes = listRemotes(repository).flatMap((each) => remoteKeys(each, kind) ?? []);
  const trusted = [...ofRemotes, ...listedKeys('trusted', kind, folders)];
  return rawKeys(kind, { trusted, revoked: listedKeys('revoked', kind, folders) });
}
