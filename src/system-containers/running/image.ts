/** A command in an image that is not installed: deployed for the moment below the repository, run, and taken away. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../base/text.ts';
import { readExports } from '../contract/index.ts';
import { openSource, prepare, rootfsOf } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { findImage } from '../storage/index.ts';
import { runInBundle } from './bundle.ts';
import type { RunRequest } from './run-command.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** What the container is called in templates. */
const NAME = 'tmp';

/** @throws ContainerError IMAGE_NOT_STORED, IMAGE_EXPORTS_HOST_FILES; as `prepare` */
export async function runImage(host: Host, request: RunRequest): Promise<number> {
  const { subject } = request;
  const repository = request.openRepository();
  const image = findImage(repository, subject);
  if (image === undefined) {
    throw new ContainerError('IMAGE_NOT_STORED', `${quote(subject)} is neither a container nor a stored image`, {
      hint: '"list --all" shows the containers, "images list" the images, "pull" fetches one',
      subject,
    });
  }
  const temporary = makeTemporaryDirectory(join(repository.root, 'tmp'));
  try {
    const places = { ...host.places, checkouts: temporary.path, state: join(temporary.path, '.state') };
    const here = { ...host, places };
    const deploying = {
      name: NAME,
      slot: 0,
      imageName: subject,
      image,
      setValues: request.setValues,
      permissions: request.permissions,
      runtimePath: request.runtimePath(),
    };
    const { tree } = await openSource(here, repository, deploying);
    if (readExports(tree).hasHostFiles) throw exportsHostFiles(subject);
    const deployment = (await prepare(here, repository, deploying)).publish({});
    mkdirSync(places.state);
    return await runInBundle(here, {
      ...request,
      above: places.state,
      deployment: deployment.path,
      rootfs: rootfsOf(deployment),
      fragment: join(deployment.path, `tmpfiles-${NAME}.conf`),
      runtime: deployment.info.runtime,
    });
  } finally {
    temporary.remove();
  }
}

function exportsHostFiles(subject: string): ContainerError {
  const text = `${quote(subject)} cannot be run without being installed, as it exports files to the host`;
  return new ContainerError('IMAGE_EXPORTS_HOST_FILES', text, { hint: 'install it first', subject });
}
