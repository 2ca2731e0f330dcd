/** Where the storage lies when nobody says: containers-storage.conf(5) and its environment variables. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { decodeUtf8 } from '../../base/decode.ts';
import { codeOf, explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import { optional, type Reader, readObject, readText, readTexts } from '../fields.ts';
import { StorageError } from './error.ts';

export interface StorageCaller {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** Put before the paths in `/etc` and `/usr`; for tests. */
  readonly systemRoot?: string | undefined;
}

/** Which storage, or several: images may lie in further ones that are only read. */
export interface StoragePlace {
  readonly root: string;
  /** Undefined: the one that is there. */
  readonly driver: string | undefined;
  readonly additional: readonly string[];
}

const SYSTEM_FILES = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
const CONF_LIMIT = 2 ** 20;

interface ConfFile {
  readonly driver?: string | undefined;
  readonly root?: string | undefined;
  readonly rootlessRoot?: string | undefined;
  readonly additional?: readonly string[] | undefined;
}

/** @throws StorageError BAD_STORAGE_CONF; CodedError UNSAFE_OWNER, TOO_LARGE */
export async function configuredPlace(caller: StorageCaller): Promise<StoragePlace> {
  const { env, uid } = caller;
  const home = env['HOME'] || homedir();
  const named = env['CONTAINERS_STORAGE_CONF'] || undefined;
  const system = named === undefined ? await firstOf(SYSTEM_FILES.map((path) => (caller.systemRoot ?? '') + path)) : {};
  const userFile = join(absolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'containers/storage.conf');
  const own = named === undefined ? (uid === 0 ? system : await firstOf([userFile])) : await firstOf([named]);
  const expand = (path: string | undefined) => expanded(path, { HOME: home, UID: `${uid}`, USER: env['USER'] ?? '' });
  const rootless =
    expand(own.rootlessRoot ?? system.rootlessRoot) ??
    join(absolute(env['XDG_DATA_HOME']) ?? join(home, '.local/share'), 'containers/storage');
  const place = {
    root: expand(own.root) ?? (uid === 0 ? '/var/lib/containers/storage' : rootless),
    driver: env['STORAGE_DRIVER'] || own.driver || system.driver || undefined,
    additional: own.additional ?? system.additional ?? [],
  };
  return withOptions(place, (env['STORAGE_OPTS'] ?? '').split(','));
}

/** `overlay.imagestore=/PATH`, also without the driver and as `additionalimagestore`; the rest is about writing. */
export function withOptions(place: StoragePlace, options: readonly string[]): StoragePlace {
  const stores = options.flatMap((option) => /^(?:\w*\.)?(?:additional)?imagestores?=(\/.*)$/.exec(option)?.[1] ?? []);
  return { ...place, additional: [...place.additional, ...stores] };
}

async function firstOf(paths: readonly string[]): Promise<ConfFile> {
  for (const path of paths) {
    const bytes = readConf(path);
    if (bytes !== undefined) return parseConf(path, bytes);
  }
  return {};
}

function readConf(path: string): Uint8Array | undefined {
  try {
    const { bytes, stats } = readFileBounded(path, CONF_LIMIT);
    assertSafeOwner(stats, { path }); // who may write it decides where images come from
    return bytes;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'NOT_A_DIRECTORY'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

const readOptions: Reader<readonly string[]> = (value, what) => {
  const object = readObject(value, what);
  const overlay = optional(object, 'overlay', what, readObject);
  const own = optional(object, 'additionalimagestores', what, readTexts) ?? [];
  const ofDriver = overlay === undefined ? [] : optional(overlay, 'additionalimagestores', what, readTexts);
  return [...own, ...(ofDriver ?? [])];
};

async function parseConf(path: string, bytes: Uint8Array): Promise<ConfFile> {
  const { parse } = await import('smol-toml'); // only where there is such a file
  try {
    const text = decodeUtf8(bytes);
    if (text === undefined) throw new Error('is not UTF-8');
    const storage = optional(parse(text), 'storage', '', readObject) ?? {};
    const text1 = (name: string) => optional(storage, name, 'storage', readText) || undefined;
    const separate = text1('imagestore');
    return {
      driver: text1('driver'),
      root: text1('graphroot'),
      rootlessRoot: text1('rootless_storage_path'),
      additional: [
        ...(separate === undefined ? [] : [separate]),
        ...(optional(storage, 'options', 'storage', readOptions) ?? []),
      ],
    };
  } catch (error) {
    const [why = ''] = explain(error).split('\n'); // the lines of the file follow
    throw new StorageError('BAD_STORAGE_CONF', `${printable(path)}: ${why}`, { cause: error, subject: path });
  }
}

function expanded(path: string | undefined, values: Readonly<Record<string, string>>): string | undefined {
  return path?.replace(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced: string, bare: string) => values[braced ?? bare] ?? all);
}

/** Relative paths in these variables are ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}
