/** Which entries of a credentials file are meant for a repository. */

const DOCKER_HUB = 'docker.io';
/** Under these Docker stores the logins of its own registry. */
const DOCKER_HUB_ALIASES: readonly string[] = ['index.docker.io', 'registry-1.docker.io'];
/** What helpers that come with Docker know its own registry by. */
export const DOCKER_HUB_URL = 'https://index.docker.io/v1/';

/** `quay.io/a/b`, `quay.io/a`, `quay.io`: the closest first. */
export function repositoryKeys(host: string, repository: string): readonly string[] {
  const parts = repository === '' ? [] : repository.split('/');
  return [...parts.map((_, i) => [host, ...parts.slice(0, parts.length - i)].join('/')), host];
}

/** An entry by its exact key, the closest to the repository first; else one for the host in another spelling. */
export function findEntry<T>(
  entries: ReadonlyMap<string, T>,
  host: string,
  repository: string,
): readonly [key: string, entry: T] | undefined {
  for (const key of repositoryKeys(host, repository)) {
    const entry = entries.get(key);
    if (entry !== undefined) return [key, entry];
  }
  return [...entries].find(([key]) => hostOfKey(key) === hostOfKey(host));
}

/**
 * The registry that a key stands for. `docker login` stored URLs (`https://HOST/v1/`) for years; of a URL only the host
 * counts. A key without a scheme that goes on behind its host names repositories, and stands for no registry.
 */
function hostOfKey(key: string): string | undefined {
  const [, scheme, host = '', rest = ''] = /^(https?:\/\/)?([^/]*)(.*)$/s.exec(key) ?? [];
  if (scheme === undefined && !/^(\/(v[12]\/?)?)?$/.test(rest)) return undefined;
  return DOCKER_HUB_ALIASES.includes(host) ? DOCKER_HUB : host;
}

/** What a program that keeps credentials for all registries is asked for, in turn. */
export function storeKeys(host: string): readonly string[] {
  return host === DOCKER_HUB ? [DOCKER_HUB_URL, DOCKER_HUB] : [host];
}
