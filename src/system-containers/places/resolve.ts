/** From options, environment and settings to places; in this order of weight, defaults last. */
import { realpathSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import { type Places, seenFromHost } from './places.ts';
import { assertPlainPath } from './plain-path.ts';
import type { Settings } from './settings.ts';

export interface PlacesRequest {
  readonly env: NodeJS.ProcessEnv;
  /** Effective ids of the caller. */
  readonly uid: number;
  readonly gid: number;
  /** Of the caller; counts for users only. */
  readonly home: string;
  readonly repo?: string | undefined;
  readonly checkouts?: string | undefined;
  /** Absolute; '' for the host itself. */
  readonly root?: string | undefined;
  readonly settings: Settings;
}

/** Slots when nobody says how many. */
const KEEP = 2;

/** @throws ContainerError BAD_CONTAINER_PATH */
export function resolvePlaces(request: PlacesRequest): Places {
  const { uid, gid, settings } = request;
  const root = request.root ?? '';
  const scope = uid === 0 ? 'system' : 'user';
  const own = scope === 'system' ? SYSTEM : userPlaces(request);
  const below = (path: string): string => `${root}${path}`;
  const checkouts = chosen(request.checkouts, request, CHECKOUTS, settings.checkouts, root) ?? below(own.checkouts);
  const repository =
    chosen(request.repo, request, REPOSITORY, settings.repo, root) ?? join(checkouts, '.storage', 'repo');
  const places: Places = {
    scope,
    uid,
    gid,
    root,
    checkouts,
    state: join(checkouts, '.state'),
    repository,
    repositoryMode: scope === 'system' ? 'bare' : 'bare-user',
    preinstalled: scope === 'system' ? below('/usr/lib/containers/atomic') : undefined,
    units: below(own.units),
    tmpfiles: below(own.tmpfiles),
    directories: own.directories,
    keep: settings.keep ?? KEEP,
    hostPrefixes: settings.hostPrefixes,
  };
  assertPlain(places);
  return places;
}

const CHECKOUTS = ['OS_CONTAINERS_CHECKOUT_PATH', 'ATOMIC_OSTREE_CHECKOUT_PATH'];
const REPOSITORY = ['OSTREE_REPO', 'ATOMIC_OSTREE_REPO'];

/** Options and variables are paths for this process; the settings file speaks of the host that it was read from. */
function chosen(
  option: string | undefined,
  { env }: PlacesRequest,
  names: readonly string[],
  setting: string | undefined,
  root: string,
): string | undefined {
  const asked = option ?? names.map((name) => env[name]).find((value) => value !== undefined && value !== '');
  if (asked !== undefined) return resolve(asked);
  return setting === undefined ? undefined : `${root}${setting}`;
}

interface OwnPlaces {
  readonly checkouts: string;
  readonly units: string;
  readonly tmpfiles: string;
  readonly directories: Places['directories'];
}

const SYSTEM: OwnPlaces = {
  checkouts: '/var/lib/containers/atomic',
  units: '/etc/systemd/system',
  tmpfiles: '/etc/tmpfiles.d',
  directories: { run: '/run', state: '/var/lib', conf: '/etc' },
};

/** The home directory without links: it is written into units, and compared with paths that the kernel tells. */
function userPlaces({ env, uid, home }: PlacesRequest): OwnPlaces {
  if (!isAbsolute(home)) throw noHome(home);
  const own = settled(home);
  const data = absolute(env['XDG_DATA_HOME']) ?? join(own, '.local/share');
  return {
    checkouts: join(data, 'containers/atomic'),
    units: join(own, '.config/systemd/user'),
    tmpfiles: join(own, '.config/user-tmpfiles.d'),
    directories: {
      run: absolute(env['XDG_RUNTIME_DIR']) ?? `/run/user/${uid}`,
      state: join(own, '.data'),
      conf: join(own, '.config'),
    },
  };
}

/** A relative path in such a variable is to be ignored (XDG base directory specification). */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? resolve(path) : undefined;
}

function settled(home: string): string {
  try {
    return realpathSync(home);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return resolve(home); // nothing there yet; whoever makes it says what is wrong
    throw error;
  }
}

function noHome(home: string): ContainerError {
  return new ContainerError('BAD_CONTAINER_PATH', `HOME: expected an absolute path, found ${quote(home)}`, {
    subject: home,
  });
}

/** What ends up in units and JSON. Of a path below `--root` only what the host knows. */
function assertPlain(places: Places): void {
  assertPlainPath(seenFromHost(places, places.checkouts), 'the directory of the deployments');
  const { run, state, conf } = places.directories;
  assertPlainPath(run, 'the runtime directory');
  assertPlainPath(state, 'the home directory');
  assertPlainPath(conf, 'the home directory');
}
