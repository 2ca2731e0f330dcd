/** The second visible half of a change: what is wanted comes. No path is absent in between. */
import type { ActionLog } from '../host.ts';
import type { ImageTree } from '../image-tree.ts';
import { relabel } from './labels.ts';
import { existsLine, linesOf, modifiedLine, skippedLine } from './lines.ts';
import { HostRoot } from './open-parents.ts';
import type { CopyStep, HostPlan } from './plan-types.ts';
import { makeDirectory, putFile } from './put.ts';

/**
 * @param signal is looked at between two files
 * @throws ContainerError HOST_PATH_REFUSED, BAD_STORED_IMAGE; CodedError DISK_FULL; SystemError. What was done so far
 * stays: the way back is the plan of the other direction.
 */
export async function copyStep(
  plan: HostPlan,
  tree: ImageTree | undefined,
  log: ActionLog,
  signal?: AbortSignal,
): Promise<void> {
  if (plan.skipped.length > 0) log.warning(skippedLine(plan.skipped));
  const steps = plan.steps.filter((step) => step.half === 'copy');
  if (steps.length === 0) return;
  const root = new HostRoot(plan.places);
  const written: string[] = [];
  try {
    for (const step of steps) {
      signal?.throwIfAborted();
      if (await copy(root, tree, step, log)) written.push(step.path);
    }
  } finally {
    root.close();
  }
  await relabel(plan.places, written, log);
}

/** True when something new lies there now. */
async function copy(root: HostRoot, tree: ImageTree | undefined, step: CopyStep, log: ActionLog): Promise<boolean> {
  switch (step.action) {
    case 'make-directory':
      return makeDirectory(root, step);
    case 'conflict':
      linesOf(step).forEach(log.warning);
      return false;
    case 'unchanged':
      linesOf(step).forEach(log.action);
      return false;
    default: {
      const outcome = await putFile(root, tree, step);
      if (outcome === 'put') linesOf(step).forEach(log.action);
      else log.warning(outcome === 'exists' ? existsLine(step.path) : modifiedLine(step.path));
      return outcome === 'put';
    }
  }
}
