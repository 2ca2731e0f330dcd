import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { type CredentialsSearch, findCredentials } from './find-credentials.ts';

export const SECRET = 'a-very-secret-word';
export const encoded = (name: string, password = SECRET) => Buffer.from(`${name}:${password}`).toString('base64');
export const basic = (username: string, password = SECRET) => ({ kind: 'basic', username, password });

/** A user's folders, with what is in the files of their names. */
export function user(t: TestContext, files: Readonly<Record<string, unknown>> = {}, uid = 1000) {
  const dir = scratch(t);
  const write = (name: string, content: unknown, mode = 0o600) => {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    chmodSync(path, mode);
    return path;
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const env = { HOME: join(dir, 'home'), XDG_RUNTIME_DIR: join(dir, 'run-user'), PATH: `${dir}/bin:/usr/bin:/bin` };
  const notes: string[] = [];
  const search = { env, uid, root: join(dir, 'root'), onNote: (text: string) => void notes.push(text) };
  const find = async (host: string, repository = 'a/b', more: Partial<CredentialsSearch> = {}) =>
    (await findCredentials({ ...search, ...more }, host, repository)).credentials;
  return { dir, write, search, find, notes, env };
}

export const RUNTIME = 'run-user/containers/auth.json';
export const CONFIG = 'home/.config/containers/auth.json';
export const DOCKER = 'home/.docker/config.json';
export const auths = (logins: Readonly<Record<string, object>>) => ({ auths: logins });
export const login = (name: string) => ({ auth: encoded(name) });
