/**
 * `auth.json` of the containers tools and `config.json` of Docker: logins by registry, and programs that know others.
 * Source: containers-auth.json(5). No value of such a file ever enters an error.
 */
import { decodeBase64, decodeUtf8 } from '../../base/decode.ts';
import { printable, quote } from '../../base/text.ts';
import type { Credentials } from '../../registry/index.ts';
import { ImagesError } from '../error.ts';
import type { CredentialsPath } from './files.ts';

/** Bytes; a login takes some hundred. */
export const CREDENTIALS_LIMIT = 4 * 2 ** 20;

type Login = Readonly<Record<string, unknown>>;

export interface CredentialsFile {
  readonly path: string;
  /** By registry (`quay.io`), repository or namespace (`quay.io/team`), or URL (`https://index.docker.io/v1/`). */
  readonly auths: ReadonlyMap<string, Login>;
  /** By registry: the name behind `docker-credential-`. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The program for all registries without another. */
  readonly credsStore: string | undefined;
}

/** @throws ImagesError BAD_CREDENTIALS_FILE */
export function parseCredentialsFile(bytes: Uint8Array, { path, format }: CredentialsPath): CredentialsFile {
  const whole = objectAt(parseJson(bytes, path), path, 'the file');
  if (format === 'dockercfg')
    return { path, auths: logins(whole, path), credHelpers: new Map(), credsStore: undefined };
  const helpers = Object.entries(objectAt(own(whole, 'credHelpers') ?? {}, path, 'credHelpers'));
  const store = own(whole, 'credsStore');
  return {
    path,
    auths: logins(objectAt(own(whole, 'auths') ?? {}, path, 'auths'), path),
    credHelpers: new Map(helpers.map(([key, name]) => [key, textAt(name, path, `credHelpers[${quote(key)}]`)])),
    credsStore: store === undefined || store === '' ? undefined : textAt(store, path, 'credsStore'),
  };
}

/** The cause is left out: it would quote the text around the mistake. */
function parseJson(bytes: Uint8Array, path: string): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw bad(path, 'the file', 'UTF-8');
  try {
    return JSON.parse(text);
  } catch {
    throw bad(path, 'the file', bytes.length === 0 ? 'JSON, found nothing' : 'JSON');
  }
}

function logins(entries: Login, path: string): ReadonlyMap<string, Login> {
  return new Map(
    Object.entries(entries).map(([key, value]) => [key, objectAt(value ?? {}, path, `auths[${quote(key)}]`)]),
  );
}

/**
 * What an entry says. Undefined: it holds nothing, as `{}` beside a credential helper, or nothing that can be used.
 * @throws ImagesError BAD_CREDENTIALS_FILE
 */
export function credentialsOf(
  { path }: CredentialsFile,
  key: string,
  login: Login,
  onNote: (text: string) => void,
): Credentials | undefined {
  const at = `auths[${quote(key)}]`;
  const text = (name: string): string => {
    const value = own(login, name);
    return value === undefined ? '' : textAt(value, path, `${at}.${name}`);
  };
  const token = (name: string): string => {
    const value = text(name);
    if (!/^[\x21-\x7e]*$/.test(value)) throw bad(path, `${at}.${name}`, 'visible ASCII characters');
    return value;
  };
  const identity = token('identitytoken');
  if (identity !== '') return { kind: 'identity-token', token: identity };
  const registry = token('registrytoken');
  if (registry !== '') return { kind: 'bearer', token: registry };
  const encoded = text('auth');
  const pair = encoded === '' ? `${text('username')}:${text('password')}` : decoded(encoded, path, `${at}.auth`);
  const colon = pair.indexOf(':');
  if (colon < 0) onNote(`${printable(path)}: ${at}.auth is passed over: there is no colon between name and password`);
  const [username, password] = [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)];
  return colon < 0 || username === '' || password === '' ? undefined : { kind: 'basic', username, password };
}

/** `NAME:PASSWORD` in base64; some versions of Docker put NULs behind it. */
function decoded(encoded: string, path: string, at: string): string {
  const bytes = decodeBase64(encoded.replace(/[\r\n]/g, ''));
  const text = bytes === undefined ? undefined : decodeUtf8(bytes);
  if (text === undefined) throw bad(path, at, 'NAME:PASSWORD in base64');
  return text.replace(/\0+$/, '');
}

function own(object: Login, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

function objectAt(value: unknown, path: string, at: string): Login {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, at, 'a JSON object');
  return value as Login;
}

function textAt(value: unknown, path: string, at: string): string {
  if (typeof value !== 'string') throw bad(path, at, 'a string');
  return value;
}

function bad(path: string, at: string, expected: string): ImagesError {
  return new ImagesError('BAD_CREDENTIALS_FILE', `${printable(path)}: ${at}: expected ${expected}`, { subject: path });
}
