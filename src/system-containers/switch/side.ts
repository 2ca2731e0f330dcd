/** A deployment on the disk, read for a switch. */
import { openDirectory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { type Deployment, openContainer, treeOf } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree } from '../image-tree.ts';
import type { Places } from '../places/index.ts';
import type { Side } from './course.ts';

/** Units and fragments have kilobytes. */
const LIMIT = 16 * 2 ** 20;

/** @param tree when it is open already */
export function readSide(deployment: Deployment, tree?: ImageTree): Side {
  const { name, path } = deployment;
  const directory = openDirectory(path);
  try {
    const read = (file: string): Uint8Array | undefined => readBounded(directory, file, LIMIT)?.bytes;
    return {
      deployment,
      tree: tree ?? treeOf(deployment),
      unit: read(`${name}.service`),
      fragment: read(`tmpfiles-${name}.conf`),
    };
  } finally {
    directory.close();
  }
}

/** One that a switch goes to. @throws ContainerError CONTAINER_BROKEN without a unit */
export function readTarget(deployment: Deployment, tree?: ImageTree): Side {
  const side = readSide(deployment, tree);
  const { name, slot, info } = deployment;
  if (!info.hasService || side.unit !== undefined) return side;
  throw new ContainerError('CONTAINER_BROKEN', `${name}.${slot} has no file ${name}.service`, {
    hint: `install the container anew: "uninstall ${name}", then "install"`,
    subject: name,
  });
}

/** @throws ContainerError CONTAINER_MISSING, CONTAINER_BROKEN when it cannot be read */
export function deploymentIn(places: Places, name: string, slot: number): Deployment {
  const found = openContainer(places, name).slots.find((each) => each.slot === slot);
  if (found !== undefined) return found;
  throw new ContainerError('CONTAINER_BROKEN', `${name}.${slot}, which the host has to go back to, cannot be read`, {
    hint: `"uninstall ${name}" clears away what is left of it`,
    subject: name,
  });
}
