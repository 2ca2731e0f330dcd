/** The repository where images are kept (spec system-containers 3 and 5). */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { createRepository, openRepository, type Repository } from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import type { Places } from '../places/places.ts';

type Place = Pick<Places, 'checkouts' | 'repository' | 'repositoryMode'>;

/**
 * The caller closes it. One that is there is taken in whatever mode it is.
 * @param create make it when there is none, for its owner alone
 * @throws ContainerError IMAGE_NOT_STORED when there is none and none is to be made; OstreeError NOT_A_REPOSITORY ...
 */
export function openStorage(places: Place, { create }: { readonly create: boolean }): Repository {
  const found = findStorage(places);
  if (found !== undefined) return found;
  if (create) return createStorage(places);
  throw new ContainerError('IMAGE_NOT_STORED', `${places.repository}: there is no repository, and so no image`, {
    hint: 'pull an image first',
    subject: places.repository,
  });
}

/** Undefined where there is none: nothing was ever pulled. */
export function findStorage({ repository }: Pick<Place, 'repository'>): Repository | undefined {
  try {
    return openRepository(repository);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    // What a killed run has begun to make, or an empty directory, is as good as nothing.
    if (codeOf(error) === 'NOT_A_REPOSITORY' && !fs.existsSync(`${repository}/objects`)) return undefined;
    throw error;
  }
}

/** Others may pass through the deployments' directory to root file systems, and nobody reads the storage. */
function createStorage({ checkouts, repository, repositoryMode }: Place): Repository {
  const above = dirname(repository);
  fs.mkdirSync(checkouts, { recursive: true, mode: 0o711 });
  fs.mkdirSync(dirname(above), { recursive: true });
  if (above !== checkouts) makePrivate(above);
  makePrivate(repository);
  createRepository(repository, { mode: repositoryMode });
  return openRepository(repository);
}

function makePrivate(path: string): void {
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
