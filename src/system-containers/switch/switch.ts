/**
 * From one deployment to another: prepare is done, now the host changes. Order of what can be seen: spec
 * system-containers 14 to 16. What happens when it is interrupted: `journal.ts`, `take-back.ts`.
 */
import { explain } from '../../base/error.ts';
import {
  type Deployment,
  encodeInfo,
  openContainer,
  type Prepared,
  removeSlots,
  surplusSlots,
  writeInfo,
} from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { type HostPlan, withStrays } from '../host-files/index.ts';
import { slotName } from '../names/index.ts';
import type { ContainerLock } from './container-lock.ts';
import { type Course, hasService, type Side } from './course.ts';
import { deleteDisplaced, displace } from './displaced.ts';
import { OpenJournal, type Operation } from './journal.ts';
import { planSwitch } from './plan-host-files.ts';
import { lookAtService } from './service.ts';
import { readSide, readTarget } from './side.ts';
import { STEPS } from './steps.ts';
import { takeBack } from './take-back.ts';
import { isThere } from './units-on-host.ts';

export interface SwitchRequest {
  readonly operation: Exclude<Operation, 'uninstall'>;
  readonly name: string;
  /** What is active; undefined: the container is new. */
  readonly from: Deployment | undefined;
  /** A new deployment, which gets its place first, or one that has been there. */
  readonly to: Prepared | Deployment;
  readonly slot: number;
  /** How long the service has to stay active to count as started. */
  readonly graceMs: number;
}

export interface Switched {
  readonly deployment: Deployment;
  readonly plan: HostPlan;
  /** The service was started, and stayed. */
  readonly started: boolean;
  /** Slots that are no more, by number: replaced, or more than are kept. */
  readonly removedSlots: readonly number[];
}

/**
 * All or nothing: when a step fails, the host is taken back to what it was, and the error is thrown.
 * @throws ContainerError SERVICE_DID_NOT_STOP, SERVICE_DID_NOT_START, HOST_PATH_REFUSED; errors of the helpers
 */
export async function switchDeployment(host: Host, lock: ContainerLock, request: SwitchRequest): Promise<Switched> {
  const { name, slot, graceMs } = request;
  const from = request.from && readSide(request.from);
  const intended = sideOf(request);
  const plan = await planSwitch({ host, to: intended, previous: request.from?.info });
  const service = hasService(from) ? await lookAtService(host, name) : { isActive: false, isEnabled: true };
  const displaces = isPrepared(request.to) && isThere(`${host.places.checkouts}/${slotName(name, slot)}`);
  host.signal.throwIfAborted();
  const journal = new OpenJournal(lock.state, {
    ...{ operation: request.operation, name, from: request.from?.slot, to: slot, displaces, hostFiles: plan },
    ...{ wasActive: service.isActive, wasEnabled: service.isEnabled, purge: false, direction: 'forward', steps: [] },
    infoBefore: isPrepared(request.to) ? undefined : Buffer.from(encodeInfo(request.to.info)).toString(),
  });
  let to: Side | undefined;
  try {
    to = readTarget(place(host, request, displaces, plan));
    const course: Course = {
      ...{ host, name, from, to, hostPlan: plan, strays: new Set(), isUndo: false, graceMs },
      ...{ isToRun: service.isActive, isToBeEnabled: service.isEnabled },
    };
    for (const step of STEPS) {
      host.signal.throwIfAborted();
      await step.run(course);
      journal.done(step.name);
    }
    to = { ...to, deployment: activated(course, to.deployment) };
    host.signal.throwIfAborted();
    journal.close();
  } catch (error) {
    await fail({ host, journal, from, to, graceMs }, error);
  }
  if (to === undefined) throw new Error('unreachable: a switch to nothing');
  const removedSlots = [...(displaces ? [slot] : []), ...tidy(host, name)];
  return { deployment: to.deployment, plan, started: service.isActive && hasService(to), removedSlots };
}

const isPrepared = (to: Prepared | Deployment): to is Prepared => 'publish' in to;

/** What the deployment is going to be, before it has its place. */
function sideOf({ name, slot, to }: SwitchRequest): Side {
  if (!isPrepared(to)) return readTarget(to);
  return readTarget({ name, slot, path: to.directory, info: to.rendered.info }, to.hostTree);
}

/** Its info names every host file before the first one is copied: whoever comes after a crash knows what to take away. */
function place(host: Host, { name, slot, to }: SwitchRequest, displaces: boolean, plan: HostPlan): Deployment {
  if (isPrepared(to)) {
    if (displaces) displace({ places: host.places, name, slot });
    return to.publish(plan.installed);
  }
  const info = { ...to.info, ...plan.installed };
  writeInfo(to.path, info);
  return { ...to, info };
}

/** Its info also tells of what could not be taken away: the next change tries again. */
function activated({ host, hostPlan, strays }: Course, deployment: Deployment): Deployment {
  const recorded = hostPlan === undefined ? deployment.info : withStrays(deployment.info, hostPlan, strays);
  const info = { ...recorded, activated: host.now() };
  writeInfo(deployment.path, info);
  return { ...deployment, info };
}

async function fail(begun: Parameters<typeof takeBack>[0], error: unknown): Promise<never> {
  const { host, journal } = begun;
  const { name, operation } = journal.content;
  if (operation === 'install') host.log.detail(`installation of ${name} failed: taking it back`);
  else host.log.warning(textOfFailure(name, journal.content.steps.includes('enable')));
  try {
    const [failure] = await takeBack(begun);
    if (failure !== undefined) host.log.warning(`container ${name} is not as it was: ${explain(failure)}`);
  } catch (failure) {
    host.log.warning(`container ${name} could not be taken back: ${explain(failure)}`); // the next command tries again
  }
  throw error;
}

/** The first text is that of the established tool. */
function textOfFailure(name: string, isStart: boolean): string {
  return isStart ? `Could not restart ${name}.  Attempt automatic rollback` : `${name}: going back to what it was`;
}

/** The switch counts: what is left over goes, and that it cannot go takes nothing back. */
function tidy(host: Host, name: string): readonly number[] {
  try {
    deleteDisplaced(host.places, name);
    const surplus = surplusSlots(openContainer(host.places, name), host.places.keep);
    removeSlots(host.places, name, surplus);
    return surplus;
  } catch (error) {
    host.log.warning(`old deployments of ${name} not removed: ${explain(error)}`);
    return [];
  }
}
