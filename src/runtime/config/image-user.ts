/**
 * `User` of an image's configuration, as ids: `UID`, `NAME`, each with `:GID` or `:GROUP`.
 * Source: OCI image specification, config.md, "User"; passwd(5), group(5).
 */
import { decodeDecimal } from '../../base/decode.ts';
import { quote } from '../../base/text.ts';
import { ConfigError } from '../error.ts';

export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
  /** Of a user who is in the files; none when the image names the group. */
  readonly additionalGids: readonly number[];
}

export interface UserFiles {
  readonly passwd?: Uint8Array | undefined;
  readonly group?: Uint8Array | undefined;
}

/** @param what the image, for messages @throws ConfigError when a name is in none of the files */
export function imageUser(text: string, files: UserFiles, what: string): ImageUser {
  const [user = '', group, extra] = text.split(':');
  if (extra !== undefined) throw unknown('user', text, what);
  const account = accountOf(user, files, what);
  if (group !== undefined) return { uid: account.uid, gid: groupId(group, files, what), additionalGids: [] };
  return { uid: account.uid, gid: account.gid, additionalGids: groupsOf(account.name, account.gid, files) };
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function accountOf(user: string, files: UserFiles, what: string): Account {
  const uid = user === '' ? 0 : decodeId(user);
  const entries = linesOf(files.passwd);
  const entry = entries.find(([name, , id]) => (uid === undefined ? name === user : decodeId(id ?? '') === uid));
  const [name = '', , ownUid = '', ownGid = ''] = entry ?? [];
  const found = uid ?? (entry && decodeId(ownUid));
  if (found === undefined) throw unknown('user', user, what);
  return { name, uid: found, gid: decodeId(ownGid) ?? 0 };
}

function groupId(group: string, files: UserFiles, what: string): number {
  const entry = linesOf(files.group).find(([name]) => name === group);
  const gid = decodeId(group) ?? decodeId(entry?.[2] ?? '');
  if (gid === undefined) throw unknown('group', group, what);
  return gid;
}

function groupsOf(name: string, own: number, files: UserFiles): number[] {
  if (name === '') return [];
  return linesOf(files.group).flatMap(([, , id = '', members = '']) => {
    const gid = decodeId(id);
    return gid !== undefined && gid !== own && members.split(',').includes(name) ? [gid] : [];
  });
}

function linesOf(file: Uint8Array | undefined): string[][] {
  return Buffer.from(file ?? [])
    .toString('latin1')
    .split('\n')
    .map((line) => line.split(':'));
}

function decodeId(text: string): number | undefined {
  const id = decodeDecimal(text);
  return id !== undefined && id < 2 ** 32 - 1 ? id : undefined;
}

function unknown(kind: string, name: string, what: string): ConfigError {
  return new ConfigError(
    `${what}: ${kind} ${quote(name)} of its configuration is not in its /etc/${kind === 'user' ? 'passwd' : 'group'}`,
    {
      hint: 'use the number, or bring a config.json.template in /exports',
      subject: what,
    },
  );
}
