/** Whose configuration counts, and where people and systems keep it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';

export interface Caller {
  readonly env: NodeJS.ProcessEnv;
  /** The user that files in the system's folders are chosen for. */
  readonly uid: number;
  /** `HOME`, else what the user database says, when left out. */
  readonly home?: string | undefined;
  /** Put before the paths in `/etc`, `/run`, `/usr` and `/var`; for tests. */
  readonly root?: string | undefined;
}

export function homeOf({ env, home }: Caller): string {
  return home ?? (env['HOME'] || registeredHome());
}

/** A container may run as a user that nobody has registered. */
function registeredHome(): string {
  try {
    return homedir();
  } catch (error) {
    if (codeOf(error) === 'ERR_SYSTEM_ERROR') return '/';
    throw error;
  }
}

/** `$XDG_CONFIG_HOME`, else `~/.config`. */
export function configHome(caller: Caller): string {
  return xdg(caller, 'XDG_CONFIG_HOME') ?? join(homeOf(caller), '.config');
}

/** `$XDG_CACHE_HOME`, else `~/.cache`. */
export function cacheHome(caller: Caller): string {
  return xdg(caller, 'XDG_CACHE_HOME') ?? join(homeOf(caller), '.cache');
}

export function runtimeDir(caller: Caller): string | undefined {
  return xdg(caller, 'XDG_RUNTIME_DIR');
}

/** A path of the system: absolute, below `root` where one is named. */
export function systemPath({ root }: Caller, path: string): string {
  return root === undefined ? path : join(root, path);
}

/** The specification of these variables says that relative paths in them are ignored. */
function xdg({ env }: Caller, name: string): string | undefined {
  const value = env[name];
  return value?.startsWith('/') ? value : undefined;
}
