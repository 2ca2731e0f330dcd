/**
 * A deployment made ready beside its place, completely and on the disk: nothing outside of the storage has been touched.
 * `publish` gives it its place, `discard` takes it away.
 */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { removeTree } from '../../linux/files/remove-tree.ts';
import type { Repository } from '../../ostree/index.ts';
import type { Host } from '../host.ts';
import type { ImageTree } from '../image-tree.ts';
import { assertContainerName, slotName } from '../names/index.ts';
import type { Places } from '../places/index.ts';
import { checkDeployment, type Preflight } from '../preflight/index.ts';
import type { Deployment } from './container.ts';
import { type Filling, fill, writeInto } from './fill.ts';
import type { Info } from './info.ts';
import { encodeInfo } from './info-file.ts';
import { type Rendered, render } from './render.ts';
import { type DeploymentRequest, type DeploymentSource, isStored } from './request.ts';
import { sweepLeftovers, takePlace, temporaryName } from './slots.ts';
import { openSource } from './source.ts';

export interface Prepared {
  readonly name: string;
  readonly slot: number;
  /** Where it lies until it is published. */
  readonly directory: string;
  readonly rendered: Rendered;
  readonly preflight: Preflight;
  /** The image, for its host files. */
  readonly hostTree: ImageTree;
  /**
   * Write `info`, with these facts added, and give the deployment its place; what was in that slot goes. Durable.
   * @returns the deployment in its place
   */
  publish(facts: Partial<Info>): Deployment;
  /** Take it away, unless it was published. A second time does nothing. */
  discard(): void;
}

/**
 * The caller holds the lock of the container. Leftovers of killed runs go first.
 * @param repository undefined will do for a root file system of the user's
 * @throws ContainerError as `render`, NOT_ALLOWED_ON_HOST; OstreeError; CodedError DISK_FULL
 */
export async function prepare(
  host: Host,
  repository: Repository | undefined,
  request: DeploymentRequest,
): Promise<Prepared> {
  const { places, log } = host;
  const { name, slot } = request;
  assertContainerName(name);
  const source = await openSource(host, repository, request);
  const rendered = await render(host, source.tree, { ...request, ...source });
  const checkouts = openCheckouts(places);
  const temporary = temporaryName(name, slot);
  let preflight: Preflight;
  try {
    sweepLeftovers(places, name);
    preflight = await examineAndFill(host, repository, { checkouts, temporary, source, request, rendered });
  } catch (error) {
    removeTree(checkouts, temporary);
    checkouts.close();
    throw error;
  }
  for (const warning of [...rendered.warnings, ...preflight.notes]) log.warning(warning);
  return {
    name,
    slot,
    directory: checkouts.pathOf(temporary),
    rendered,
    preflight,
    hostTree: source.tree,
    publish(facts) {
      const info = { ...rendered.info, ...facts };
      writeInto(checkouts, temporary, [{ name: 'info', bytes: encodeInfo(info), mode: 0o600 }]);
      takePlace(checkouts, temporary, slotName(name, slot));
      const path = checkouts.pathOf(slotName(name, slot));
      checkouts.close();
      return { name, slot, path, info };
    },
    discard() {
      // Opened anew: it may have been published, or discarded before.
      const directory = openDirectory(places.checkouts);
      try {
        removeTree(directory, temporary);
      } finally {
        directory.close();
        checkouts.close();
      }
    },
  };
}

/**
 * Programs that are asked about the unit take as long as many thousand links: both at once, unless there is something to
 * copy, for which there may not be the space. A refusal counts before what went wrong with the files.
 */
async function examineAndFill(host: Host, repository: Repository | undefined, filling: Filling): Promise<Preflight> {
  const { source, request, rendered } = filling;
  const examining = examine(host, source.tree, { ...request, ...source }, rendered);
  if ((source.checkoutBytes ?? 0) > 0) await examining;
  const refusal = new AbortController();
  const signal = AbortSignal.any([host.signal, refusal.signal]);
  const filled = fill({ ...host, signal }, repository, filling);
  filled.catch(() => undefined); // it is looked at below
  try {
    const preflight = await examining;
    await filled;
    return preflight;
  } catch (error) {
    refusal.abort(error);
    await Promise.allSettled([filled]);
    throw error;
  }
}

/** What would be refused, and what people should know of it; also for plans. */
export function examine(
  { places, signal }: Host,
  tree: ImageTree,
  { image, permissions, checkoutBytes = 0 }: DeploymentRequest & DeploymentSource,
  { config, unit, fragment, values, hostFiles, info }: Rendered,
): Promise<Preflight> {
  const rootfs = isStored(image) ? undefined : image.rootfs;
  const { setValues } = info;
  return checkDeployment(
    { tree, config, rootfs, unit, fragment, places, values, setValues, permissions, hostFiles, checkoutBytes },
    signal,
  );
}

/** Made when it is absent; whoever may write there could put anything in the place of a deployment. */
function openCheckouts({ checkouts }: Places): Directory {
  naming(checkouts, () => fs.mkdirSync(checkouts, { recursive: true, mode: 0o711 }));
  const directory = openDirectory(checkouts);
  try {
    assertSafeOwner(directory.stat(), { path: checkouts });
    return directory;
  } catch (error) {
    directory.close();
    throw error;
  }
}
