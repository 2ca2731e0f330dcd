/** `verification-TYPE-key` and `verification-TYPE-file` of a remote, or without either the system's lists. */
import type { Remote } from '../remotes/remote.ts';
import { listedKeys, readKeyFile } from './key-lists.ts';
import type { KeySet } from './key-set.ts';
import { parseRawKey, parseRawKeys } from './raw-key-text.ts';
import { type RawKey, type RawKind, rawKeys } from './raw-keys.ts';

/**
 * A key that the system's lists revoke is revoked for every remote (libostree looks at them only where it looks at the
 * lists of trusted keys, too).
 * @throws OstreeError CONFIG_MALFORMED; SystemError ENOENT when the file is not there
 */
export function rawKeysOf(remote: Remote | undefined, kind: RawKind, folders: readonly string[]): KeySet {
  const revoked = listedKeys('revoked', kind, folders);
  return rawKeys(kind, { trusted: remoteKeys(remote, kind) ?? listedKeys('trusted', kind, folders), revoked });
}

/** Undefined when the remote names neither a key nor a file. */
export function remoteKeys(remote: Remote | undefined, kind: RawKind): readonly RawKey[] | undefined {
  const source = remote?.verificationKeys.get(kind);
  if (remote === undefined || source === undefined) return undefined;
  const keys: RawKey[] = [];
  if (source.file !== undefined) keys.push(...parseRawKeys(kind, readKeyFile(source.file).bytes, source.file));
  if (source.key !== undefined) {
    keys.push(parseRawKey(kind, source.key.trim(), `[remote "${remote.name}"] verification-${kind}-key`));
  }
  return keys;
}
