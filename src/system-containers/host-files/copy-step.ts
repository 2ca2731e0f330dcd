/** The second visible half of a change: what is wanted comes. No path is absent in between. */
import type { ActionLog } from '../host.ts';
import type { ImageTree } from '../image-tree.ts';
import { relabel } from './labels.ts';
import { existsLine, linesOf, modifiedLine } from './lines.ts';
import { HostRoot } from './open-parents.ts';
import type { CopyStep, HostPlan } from './plan-types.ts';
import { makeDirectory, type Outcome, putFile } from './put.ts';

export interface CopyOptions {
  /** Looked at between two files. */
  readonly signal?: AbortSignal | undefined;
  /** Bring back as much as can be: what fails is thrown at the end. */
  readonly isUndo?: boolean | undefined;
}

/**
 * @returns paths at which something else has come to be since the plan
 * @throws ContainerError HOST_PATH_REFUSED, BAD_STORED_IMAGE; CodedError DISK_FULL; SystemError. What was done so far
 * stays: the way back is the plan of the other direction.
 */
export async function copyStep(
  plan: HostPlan,
  tree: ImageTree | undefined,
  log: ActionLog,
  { signal, isUndo = false }: CopyOptions = {},
): Promise<readonly string[]> {
  const steps = stepsOf(plan, isUndo);
  if (steps.length === 0) return [];
  const root = new HostRoot(plan.places);
  const written: string[] = [];
  const strays: string[] = [];
  const failures: unknown[] = [];
  try {
    for (const step of steps) {
      signal?.throwIfAborted();
      try {
        const outcome = await copy(root, tree, step, log);
        if (outcome === 'put') written.push(step.path);
        if (outcome === 'exists') strays.push(step.path);
      } catch (error) {
        if (!isUndo) throw error;
        failures.push(error);
      }
    }
  } finally {
    root.close();
  }
  await relabel(plan.places, written, log);
  if (failures.length > 0) throw failures[0];
  return strays;
}

/** Back the way it came: on a full disk each file that goes back makes the room that the one before it needs. */
function stepsOf(plan: HostPlan, isUndo: boolean): readonly CopyStep[] {
  const steps = plan.steps.filter((step) => step.half === 'copy');
  if (!isUndo) return steps;
  const isDirectory = ({ action }: CopyStep): boolean => action === 'make-directory';
  return [...steps.filter(isDirectory), ...steps.filter((step) => !isDirectory(step)).reverse()];
}

async function copy(
  root: HostRoot,
  tree: ImageTree | undefined,
  step: CopyStep,
  log: ActionLog,
): Promise<Outcome | 'nothing'> {
  switch (step.action) {
    case 'make-directory':
      return makeDirectory(root, step) ? 'put' : 'nothing';
    case 'conflict':
      linesOf(step).forEach(log.warning);
      return 'nothing';
    case 'refused':
      throw step.error;
    case 'unchanged':
      linesOf(step).forEach(log.action);
      return 'nothing';
    default: {
      const outcome = await putFile(root, tree, step);
      if (outcome === 'put') linesOf(step).forEach(log.action);
      else log.warning(outcome === 'exists' ? existsLine(step.path) : modifiedLine(step.path));
      return outcome;
    }
  }
}
