/**
 * A container taken away (spec system-containers 17): the steps of a switch without a deployment to go to, then its
 * slots. Once the service is stopped there is no way back: what fails is told, and what was killed is finished by the
 * next command.
 */
import { explain } from '../../base/error.ts';
import { openDirectory } from '../../linux/files/directory.ts';
import { type Container, type Deployment, findContainer, removeSlots, sweepLeftovers } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { type HostPlan, removalStep } from '../host-files/index.ts';
import type { ContainerLock } from './container-lock.ts';
import { type Course, hasService, type Side } from './course.ts';
import { deleteDisplaced } from './displaced.ts';
import { OpenJournal } from './journal.ts';
import { planSwitch } from './plan-host-files.ts';
import { purgeState } from './purge-state.ts';
import { lookAtService } from './service.ts';
import { readSide } from './side.ts';
import { STEPS } from './steps.ts';
import { takeBack } from './take-back.ts';

export interface RemovalRequest {
  readonly name: string;
  /** State and modified files go, too. */
  readonly purge: boolean;
}

export interface Removed {
  /** Host files that the administrator had changed, and that are still there. */
  readonly keptFiles: readonly string[];
  readonly deployments: readonly Deployment[];
}

/** A removal is not taken back once there are files to speak of. */
const NOTHING_DONE = { gone: [], before: { edited: [], owners: {} } };

/** @throws ContainerError SERVICE_DID_NOT_STOP, after which everything is as it was */
export async function removeContainer(host: Host, lock: ContainerLock, request: RemovalRequest): Promise<Removed> {
  const { name, purge } = request;
  const container = findContainer(host.places, name);
  const from = container?.active && tryReadSide(host, container.active);
  const records = from === undefined ? (container?.slots ?? []) : [from.deployment];
  const plans: HostPlan[] = [];
  for (const { info } of records) plans.push(await planSwitch({ host, to: undefined, previous: info, purge }));
  const service = hasService(from) ? await lookAtService(host, name) : { isActive: false, isEnabled: false };
  host.signal.throwIfAborted();
  const journal = new OpenJournal(lock.state, {
    ...{
      operation: 'uninstall',
      name,
      from: from?.deployment.slot,
      to: undefined,
      displaces: false,
      hostFiles: NOTHING_DONE,
    },
    ...{ infoBefore: undefined, wasActive: service.isActive, wasEnabled: service.isEnabled, purge },
    ...{ direction: 'forward', steps: [] },
  });
  const [hostPlan, ...others] = plans;
  const course: Course = {
    ...{ host, name, from, to: undefined, hostPlan, strays: new Set(), isToRun: false, isToBeEnabled: false },
    ...{ isUndo: false, graceMs: 0 },
  };
  await runSteps(course, journal);
  for (const plan of others) await removalStep(plan, host.log);
  if (container !== undefined) finish(host, container);
  sweepLeftovers(host.places, name); // also of a run that was killed while it deleted the slots
  if (purge) for (const { info } of records) purgeState(host, name, info);
  journal.close();
  return { keptFiles: [...new Set(plans.flatMap(({ kept }) => (purge ? [] : kept)))], deployments: records };
}

/** What cannot be read is no reason to keep the rest. */
function tryReadSide({ log }: Host, deployment: Deployment): Side | undefined {
  try {
    return readSide(deployment);
  } catch (error) {
    log.warning(explain(error));
    return undefined;
  }
}

/** The service first: as long as it runs nothing is taken away from under it. Then nothing stops us any more. */
async function runSteps(course: Course, journal: OpenJournal): Promise<void> {
  const { host, from } = course;
  const onward = { ...course, host: { ...host, signal: new AbortController().signal } };
  for (const step of STEPS) {
    if (step.name !== 'stop') await step.run(onward);
    else {
      try {
        await step.run(course);
      } catch (error) {
        await takeBack({ host, journal, from, to: undefined, graceMs: 0 });
        throw error;
      }
    }
    journal.done(step.name);
  }
}

function finish({ places }: Host, { name, slotsOnDisk }: Container): void {
  removeSlots(places, name, slotsOnDisk);
  deleteDisplaced(places, name);
  const checkouts = openDirectory(places.checkouts);
  try {
    checkouts.sync();
  } finally {
    checkouts.close();
  }
}
