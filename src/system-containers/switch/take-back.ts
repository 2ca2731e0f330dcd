/** A switch that failed or was interrupted, taken back: the same steps with the roles exchanged. */
import { explain } from '../../base/error.ts';
import { type Deployment, decodeInfo, writeInfo } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { leftInPlace, withStrays } from '../host-files/index.ts';
import type { Course, Side } from './course.ts';
import { deleteSlot, putBack } from './displaced.ts';
import { LAST_HARMLESS_STEP, type OpenJournal } from './journal.ts';
import { planSwitch } from './plan-host-files.ts';
import { AFTER_STOP, STEPS, type StepName } from './steps.ts';

export interface Begun {
  readonly host: Host;
  readonly journal: OpenJournal;
  /** What was there before, and shall be again. */
  readonly from: Side | undefined;
  /** What was to be; undefined: it never got its place. */
  readonly to: Side | undefined;
  readonly graceMs: number;
}

/** That the earlier version does not start either is only told. */
const GRACE_MS = 1000;

/**
 * Come as near as possible to what was before, whatever fails on the way.
 * @returns what could not be done; as long as the host is not as it was, the journal stays for the next command
 */
export async function takeBack(begun: Begun): Promise<readonly unknown[]> {
  const { journal, from, to } = begun;
  const host = { ...begun.host, signal: new AbortController().signal }; // what was interrupted is to be put in order
  tryTurnBack(host, journal);
  const failures: { readonly step: StepName | 'slots'; readonly error: unknown }[] = [];
  const attempt = async (step: StepName | 'slots', work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push({ step, error });
      host.log.warning(`taking back, ${step}: ${explain(error)}`);
    }
  };
  if (from !== undefined || to !== undefined) {
    const course = await courseBack({ ...begun, host }, (error) => failures.push({ step: 'copy-host-files', error }));
    for (const step of STEPS) {
      if (isToBeTakenBack(step.name, journal)) await attempt(step.name, () => step.run(course));
    }
    await attempt('slots', async () => recordStrays(course));
  }
  if (!failures.some(({ step }) => LASTING.has(step)))
    await attempt('slots', async () => settleSlots(host, journal, to));
  if (!failures.some(({ step }) => LASTING.has(step))) journal.close();
  return failures.map(({ error }) => error);
}

/** On a full disk nothing can be written, and going back is what makes room. */
function tryTurnBack(host: Host, journal: OpenJournal): void {
  try {
    journal.turnBack();
  } catch (error) {
    host.log.detail(`the journal is not written: ${explain(error)}`);
  }
}

/** What has to be right on the disk. That the earlier version does not start either is nothing to repeat for ever. */
const LASTING: ReadonlySet<StepName | 'slots'> = new Set<StepName | 'slots'>([
  ...(['stop', 'withdraw-unit', 'delete-host-files', 'copy-host-files', 'publish-unit', 'link'] as const),
  ...(['reload', 'enable', 'slots'] as const),
]);

/** Whose stop failed has changed nothing but the state of the service. */
function isToBeTakenBack(step: StepName, journal: OpenJournal): boolean {
  return journal.content.steps.includes(LAST_HARMLESS_STEP) || AFTER_STOP.has(step);
}

async function courseBack(
  { host, journal, from, to, graceMs }: Begun,
  onFailure: (error: unknown) => void,
): Promise<Course> {
  const { name, wasActive, wasEnabled, hostFiles: undo } = journal.content;
  let hostPlan: Course['hostPlan'];
  try {
    const areTouched = to !== undefined && journal.content.steps.includes(LAST_HARMLESS_STEP);
    if (areTouched) hostPlan = await planSwitch({ host, to: from, previous: to.deployment.info, undo });
  } catch (error) {
    onFailure(error);
    host.log.warning(`taking back: ${explain(error)}`);
  }
  return {
    ...{ host, name, hostPlan, strays: new Set<string>(), graceMs: Math.min(graceMs, GRACE_MS), isUndo: true },
    ...{ from: to, to: from, isToRun: wasActive, isToBeEnabled: wasEnabled },
  };
}

/** What could not be taken away of the version that failed is remembered by the one that stays. */
function recordStrays({ to, hostPlan, strays }: Course): void {
  if (to === undefined || hostPlan === undefined) return;
  const { info, path } = to.deployment;
  const known = new Set([...info.installedFiles, ...info.newFiles.keys()]);
  const left = [...strays, ...leftInPlace(hostPlan)].filter((each) => !known.has(each));
  if (left.length > 0) writeInfo(path, withStrays(info, hostPlan, new Set(left)));
}

/** The slots as they were: the new deployment goes, what had its place comes back. */
function settleSlots(host: Host, { content }: OpenJournal, to: Side | undefined): void {
  const { name, to: slot, infoBefore, displaces, operation } = content;
  if (slot === undefined) return;
  if (operation === 'rollback') restoreInfo(to?.deployment, infoBefore);
  else if (displaces) putBack({ places: host.places, name, slot });
  else deleteSlot({ places: host.places, name, slot });
}

function restoreInfo(deployment: Deployment | undefined, before: string | undefined): void {
  if (deployment === undefined || before === undefined) return;
  writeInfo(deployment.path, decodeInfo(Buffer.from(before), `${deployment.path}/info`));
}
