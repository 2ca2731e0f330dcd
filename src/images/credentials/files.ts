/** Which files may hold credentials, in the order in which they are looked at. */
import { join } from 'node:path';
import { type Caller, configHome, homeOf, runtimeDir, systemPath } from '../host-files/caller.ts';

export interface CredentialsPath {
  readonly path: string;
  /** `dockercfg` is Docker's oldest form: the logins without `auths` around them. */
  readonly format: 'auth.json' | 'dockercfg';
  /** The user named it: it is an error when it does not exist. */
  readonly isRequired: boolean;
}

/**
 * Of the containers tools (containers-auth.json(5)): a file that the user names, by option or in `REGISTRY_AUTH_FILE`,
 * takes the place of the one that `login` writes; what it does not know may still stand in the user's other files.
 */
export function containersFiles(caller: Caller, authFile: string | undefined): readonly CredentialsPath[] {
  const { env, uid } = caller;
  const config = join(configHome(caller), 'containers', 'auth.json');
  const docker = join(env['DOCKER_CONFIG'] || join(homeOf(caller), '.docker'), 'config.json');
  return [
    ...(named(authFile ?? env['REGISTRY_AUTH_FILE']) ?? loginFiles(caller, uid)),
    optional(config),
    optional(docker),
    { path: join(homeOf(caller), '.dockercfg'), format: 'dockercfg', isRequired: false },
  ];
}

/**
 * Of commands that pull into an OSTree repository: a file of their own, and no other when the user names one. The first
 * that exists is the only one that is read. `/run` before `/etc` is what rpm-ostree and bootc do; their manual says the
 * opposite.
 */
export function ostreeFiles(caller: Caller, authFile: string | undefined): readonly CredentialsPath[] {
  const given = named(authFile);
  if (given !== undefined) return given;
  if (caller.uid === 0) {
    return ['/run', '/etc', '/usr/lib'].map((dir) => optional(systemPath(caller, `${dir}/ostree/auth.json`)));
  }
  const runtime = runtimeDir(caller);
  return [
    ...(runtime === undefined ? [] : [optional(join(runtime, 'ostree', 'auth.json'))]),
    optional(join(configHome(caller), 'ostree', 'auth.json')),
  ];
}

/** Root may have logged in with or without a session, so both places count. */
function loginFiles(caller: Caller, uid: number): readonly CredentialsPath[] {
  const runtime = runtimeDir(caller);
  const perUser = optional(systemPath(caller, `/run/containers/${uid}/auth.json`));
  if (runtime === undefined) return [perUser];
  const inSession = optional(join(runtime, 'containers', 'auth.json'));
  return uid === 0 ? [inSession, perUser] : [inSession];
}

function named(path: string | undefined): readonly CredentialsPath[] | undefined {
  return path === undefined || path === '' ? undefined : [{ path, format: 'auth.json', isRequired: true }];
}

function optional(path: string): CredentialsPath {
  return { path, format: 'auth.json', isRequired: false };
}
