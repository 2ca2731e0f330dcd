/** The scopes under which a policy may speak of an image, the narrowest first. Source: containers-policy.json(5). */
import { realpathSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { formatNamed, type NamedReference, repositoryName, type StoredName } from '../../oci/index.ts';
import type { ImageName } from '../image-name.ts';
import { dockerScopes } from '../signatures/docker-scopes.ts';

/** Without the transport's own default, the scope ''. */
export function scopesOf(
  { transport, location }: ImageName,
  identity: NamedReference | undefined,
  stored: StoredName | undefined,
): readonly string[] {
  switch (transport) {
    case 'docker':
      // Without it the narrow scopes, and what they reject, would be passed over.
      if (identity === undefined) throw new Error('unreachable: an image that was read from a registry has a name');
      return dockerScopes(identity);
    case 'oci': // the tag is no part of it: DIR and DIR:TAG may be the same image
    case 'oci-archive':
    case 'dir':
      return pathScopes(location);
    case 'docker-archive':
      return [];
    case 'containers-storage':
      if (stored === undefined) throw new Error('unreachable: an image that was read from a storage has a place');
      return storageScopes(stored);
  }
}

/** The path and the folders above it, but not the root: that would say the same as ''. */
function pathScopes(location: string): readonly string[] {
  const scopes: string[] = [];
  for (let path = realPath(resolve(location)); path !== '/'; path = posix.dirname(path)) scopes.push(path);
  return scopes;
}

/** Without symbolic links, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (path === '/' || (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR')) throw error;
    return posix.join(realPath(posix.dirname(path)), posix.basename(path));
  }
}

/** `[DRIVER@ROOT]REFERENCE` */
const STORE = /^\[(?:[^@\]]+@)?\/[^\]]*\]/;

/** As the tools build them: the image, without its id, without its tag, the namespaces above, the storage. */
function storageScopes({ driver, root, named, id }: StoredName): readonly string[] {
  const [full, driverless] = [`[${driver}@${root}]`, `[${root}]`];
  const names = named === undefined ? [] : storedNames(named).map((name) => `${full}${name}`);
  const byId = id === undefined ? [] : [`${full}${named === undefined ? '' : formatNamed(named)}@${id}`];
  return [...byId, ...names, full, driverless];
}

function storedNames(named: NamedReference): readonly string[] {
  const { tag, digest } = named;
  const parts = repositoryName(named).split('/');
  const tagged = tag !== undefined && digest !== undefined ? [`${repositoryName(named)}:${tag}`] : [];
  const above = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  return [formatNamed(named), ...tagged, ...above];
}

const SCOPELESS: readonly string[] = ['docker-archive', 'tarball'];

/** What is wrong with a scope, if anything; those of transports that we do not have are of no concern. */
export function scopeFlaw(transport: string, scope: string): string | undefined {
  if (scope === '') return undefined;
  if (SCOPELESS.includes(transport)) return 'cannot be: the transport has none but ""';
  if (transport === 'containers-storage') return STORE.test(scope) ? undefined : 'does not begin with [DRIVER@ROOT]';
  if (transport === 'oci' || transport === 'oci-archive') return pathFlaw(scope.split(':')[0] ?? '');
  return transport === 'dir' ? pathFlaw(scope) : undefined;
}

function pathFlaw(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (path === '/') return 'is the root, for which "" has to be written';
  return posix.normalize(path) === path && !path.endsWith('/') ? undefined : 'is not a path in its shortest form';
}
