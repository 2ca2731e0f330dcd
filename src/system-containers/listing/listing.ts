/** What is installed, and in which state: one broken container keeps nobody from seeing the others. */
import { codeOf } from '../../base/error.ts';
import { splitDigest } from '../../oci/index.ts';
import type { Repository } from '../../ostree/index.ts';
import { type Container, listContainers, rollbackTarget } from '../deployment/index.ts';
import type { Info } from '../deployment/info.ts';
import type { Host } from '../host.ts';
import { findWanted } from '../install/index.ts';

export type ContainerState = 'running' | 'failed' | 'stopped' | 'broken';

export interface ListedContainer {
  readonly name: string;
  readonly state: ContainerState;
  /** Of a broken one. */
  readonly problem: string | undefined;
  readonly isPreinstalled: boolean;
  /** Number of the active deployment; undefined when there is none. */
  readonly slot: number | undefined;
  /** Of the active deployment, or of one that could be read. */
  readonly info: Info | undefined;
  /** The deployment that a rollback goes back to. */
  readonly rollback: { readonly slot: number; readonly info: Info } | undefined;
  /** Digest of the image that an `update` would deploy; undefined: it is the same, or not known. */
  readonly pulled: string | undefined;
}

/** So many `systemctl` at a time. */
const AT_ONCE = 8;

/** Sorted by name. @param repository undefined: nothing was ever pulled */
export async function listInstalled(host: Host, repository: Repository | undefined): Promise<ListedContainer[]> {
  const containers = listContainers(host.places);
  const listed: ListedContainer[] = [];
  for (let at = 0; at < containers.length; at += AT_ONCE) {
    const some = containers.slice(at, at + AT_ONCE);
    listed.push(...(await Promise.all(some.map((container) => describe(host, repository, container)))));
  }
  return listed;
}

async function describe(
  host: Host,
  repository: Repository | undefined,
  container: Container,
): Promise<ListedContainer> {
  const { name, active, problem, isPreinstalled } = container;
  const rollback = active === undefined ? undefined : rollbackTarget(container);
  const info = active?.info ?? container.slots[0]?.info;
  return {
    name,
    state: active === undefined ? 'broken' : await stateOf(host, name, active.info),
    problem,
    isPreinstalled,
    slot: active?.slot,
    info,
    rollback: rollback && { slot: rollback.slot, info: rollback.info },
    pulled: active === undefined || repository === undefined ? undefined : pulledFor(repository, active.info),
  };
}

async function stateOf({ services, signal }: Host, name: string, { hasService }: Info): Promise<ContainerState> {
  if (!hasService) return 'stopped';
  const word = await services.activeState(name, signal);
  if (word === 'active' || word === 'reloading') return 'running';
  return word === 'failed' ? 'failed' : 'stopped';
}

function pulledFor(repository: Repository, { image, tagVersion, revision, rootfs }: Info): string | undefined {
  if (rootfs !== undefined || image === '') return undefined;
  try {
    const found = findWanted(repository, { reference: image, tagVersion })?.digest;
    return found === undefined || splitDigest(found).hex === revision ? undefined : found;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined; // an info file may hold any text for an image
  }
}
