/** The first visible half of a change: what is not wanted any more goes. */
import { codeOf } from '../../base/error.ts';
import type { ActionLog } from '../host.ts';
import { deletedLine, linesOf, modifiedLine, notDeletedLine } from './lines.ts';
import { identityOf, reason } from './on-disk.ts';
import { HostRoot, withParents } from './open-parents.ts';
import type { HostPlan, RemovalStep } from './plan-types.ts';

/**
 * What cannot be deleted stays, is said, and the work goes on.
 * @returns paths that are still there and should not be
 */
export async function removalStep(plan: HostPlan, log: ActionLog): Promise<readonly string[]> {
  const steps = plan.steps.filter((step) => step.half === 'removal');
  if (steps.length === 0) return [];
  const failed: string[] = [];
  const root = new HostRoot(plan.places);
  try {
    for (const step of steps) {
      try {
        if (!remove(root, step, log)) failed.push(step.path);
      } catch (error) {
        if (error instanceof Error && codeOf(error) === undefined) throw error; // ours to mend, not the disk's
        log.warning(notDeletedLine(step.path, reason(error)));
        failed.push(step.path);
      }
    }
  } finally {
    root.close();
  }
  return failed;
}

/** False: it stays. */
function remove(root: HostRoot, step: RemovalStep, log: ActionLog): boolean {
  switch (step.action) {
    case 'delete':
      return deleteFile(root, step.path, step.identity, log);
    case 'remove-leftover':
      removeLeftover(root, step.path);
      return true;
    case 'remove-directory':
      return removeDirectory(root, step.path);
    case 'leave':
      linesOf(step).forEach(log.warning);
      return false;
    default:
      linesOf(step).forEach(log.action);
      return true;
  }
}

function deleteFile(root: HostRoot, path: string, identity: string, log: ActionLog): boolean {
  return withParents(root, path, (parents) => {
    const stats = parents.kind === 'open' ? parents.directory.lstat(parents.name) : undefined;
    if (parents.kind !== 'open' || stats === undefined) return true;
    if (identityOf(stats) !== identity) {
      log.action(modifiedLine(path));
      return false;
    }
    parents.directory.unlink(parents.name);
    parents.directory.sync();
    log.action(deletedLine(path));
    return true;
  });
}

/** Somebody may have put something into it since: then it stays. */
function removeDirectory(root: HostRoot, path: string): boolean {
  return withParents(root, path, (parents) => {
    if (parents.kind !== 'open') return true;
    try {
      if (parents.directory.removeDirectory(parents.name)) parents.directory.sync();
      return true;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
      return false;
    }
  });
}

function removeLeftover(root: HostRoot, path: string): void {
  withParents(root, path, (parents) => {
    if (parents.kind !== 'open') return;
    const { directory, name } = parents;
    const stats = directory.lstat(name);
    if (stats?.isDirectory() === true) directory.removeDirectory(name);
    else directory.unlink(name);
  });
}
