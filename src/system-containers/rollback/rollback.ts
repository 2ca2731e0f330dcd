/** `rollback`: back to the deployment that was active before (spec system-containers 16). Everything comes from it. */
import { activeOf, type Deployment, openContainer, rollbackTarget, writeInfo } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import type { HostPlan } from '../host-files/index.ts';
import { slotName } from '../names/index.ts';
import { assertChangeable, planSwitch, readTarget, switchDeployment, withContainer } from '../switch/index.ts';

export interface RolledBack {
  readonly from: Deployment;
  readonly to: Deployment;
  readonly started: boolean;
  readonly keptFiles: readonly string[];
}

export interface RollbackPlan {
  readonly from: Deployment;
  readonly to: Deployment;
  readonly hostFiles: HostPlan;
}

/**
 * @param graceMs how long the service has to stay active to count as started
 * @throws ContainerError CONTAINER_MISSING, CONTAINER_BROKEN, NO_PREVIOUS_DEPLOYMENT; as `switchDeployment`
 */
export async function rollBackContainer(
  host: Host,
  name: string,
  { graceMs }: { readonly graceMs: number },
): Promise<RolledBack> {
  assertChangeable(host, name);
  return withContainer(host, name, async (lock) => {
    const { from, to } = decide(host, name);
    const switched = await switchDeployment(host, lock, {
      ...{ operation: 'rollback', name, from, to, slot: to.slot, graceMs },
    });
    const { plan, started } = switched;
    const deployment = withSkipped(switched.deployment, from);
    host.log.detail(`${name} is now at ${deployment.info.revision.slice(0, 12)} (slot ${deployment.slot})`);
    return { from, to: deployment, started, keptFiles: plan.kept };
  });
}

/** What an administrator has gone back from does not come again by itself. */
function withSkipped(to: Deployment, from: Deployment): Deployment {
  const skippedRevision = from.info.created > to.info.created ? from.info.revision : undefined;
  if (skippedRevision === to.info.skippedRevision) return to;
  const info = { ...to.info, skippedRevision };
  writeInfo(to.path, info);
  return { ...to, info };
}

/** The same without doing it. */
export async function planRollback(host: Host, name: string): Promise<RollbackPlan> {
  const { from, to } = decide(host, name);
  const hostFiles = await planSwitch({ host, to: readTarget(to), previous: from.info });
  return { from, to, hostFiles };
}

function decide({ places }: Host, name: string): { readonly from: Deployment; readonly to: Deployment } {
  const container = openContainer(places, name);
  const from = activeOf(container);
  const to = rollbackTarget(container);
  if (to !== undefined) return { from, to };
  const path = `${places.checkouts}/${slotName(name, from.slot === 0 ? 1 : 0)}`;
  throw new ContainerError(
    'NO_PREVIOUS_DEPLOYMENT',
    `cannot find a previous deployment to rollback located at ${path}`,
    {
      hint: 'there is one after the first update',
      subject: name,
    },
  );
}
