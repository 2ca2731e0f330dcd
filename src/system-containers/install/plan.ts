/** What `install` or `update` would do, without doing any of it: for `--dry-run` and `--display`. */
import { join } from 'node:path';
import { lockForReading, type Repository } from '../../ostree/index.ts';
import { formatConfig } from '../../runtime/index.ts';
import { type DeploymentRequest, examine, type Info, openSource, render } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { type HostPlan, planHostFiles } from '../host-files/index.ts';
import { slotName } from '../names/index.ts';
import type { StoredImage } from '../storage/index.ts';
import { storedImage } from './find-image.ts';
import { assertFree, deploymentRequest, type InstallRequest, nameOf } from './install.ts';

export interface DeploymentPlan {
  readonly name: string;
  readonly slot: number;
  readonly image: StoredImage | undefined;
  readonly info: Info;
  /** What would be written into the deployment. */
  readonly files: readonly GeneratedFile[];
  readonly hostFiles: HostPlan;
  /** For people. */
  readonly warnings: readonly string[];
  readonly extraUnitNames: readonly string[];
}

export interface GeneratedFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** @throws as `installContainer` before it changes anything */
export async function planInstallation(
  host: Host,
  repository: Repository | undefined,
  request: InstallRequest,
): Promise<DeploymentPlan> {
  const wanted = { reference: request.image, tagVersion: request.tagVersion };
  const image = repository && request.rootfs === undefined ? storedImage(repository, wanted) : undefined;
  const name = nameOf(request, image);
  assertFree(host, name);
  return planDeployment(host, repository, deploymentRequest(repository, request, { name, image }));
}

export async function planDeployment(
  host: Host,
  repository: Repository | undefined,
  request: DeploymentRequest,
): Promise<DeploymentPlan> {
  const held = repository && (await lockForReading(repository, { signal: host.signal, timeoutMs: host.lockTimeoutMs }));
  try {
    return await plan(host, repository, request);
  } finally {
    held?.release();
  }
}

async function plan(
  host: Host,
  repository: Repository | undefined,
  request: DeploymentRequest,
): Promise<DeploymentPlan> {
  const { name, slot, image, previous } = request;
  const source = await openSource(host, repository, request);
  const rendered = await render(host, source.tree, { ...request, ...source });
  const { notes, extraUnitNames } = await examine(host, source.tree, request, rendered);
  const { config, unit, fragment, values, exports } = rendered;
  const hostFiles = await planHostFiles({
    ...{ places: host.places, tree: source.tree, manifest: exports.manifest, values, previous },
  });
  const directory = join(host.places.checkouts, slotName(name, slot));
  const files = [
    { file: 'config.json', content: config && formatConfig(config) },
    { file: `${name}.service`, content: unit },
    { file: `tmpfiles-${name}.conf`, content: fragment },
  ];
  return {
    ...{ name, slot, info: rendered.info, hostFiles, extraUnitNames },
    image: 'rootfs' in image ? undefined : image,
    files: files.flatMap(({ file, content }) =>
      content === undefined ? [] : [{ path: join(directory, file), content }],
    ),
    warnings: [...rendered.warnings, ...notes],
  };
}
