/** What did not go as planned: the record of a deployment is put right, so that a later change finds what is left. */
import type { HostPlan, HostRecord } from './plan-types.ts';

/** Files that an undo leaves where they are: of the version that failed, and changed since, or out of reach. */
export function leftInPlace({ steps }: HostPlan): readonly string[] {
  return steps.flatMap(({ action, path }) => (action === 'keep-modified' || action === 'leave' ? [path] : []));
}

/**
 * @param record of the version that is on the host now
 * @param strays what `removalStep` and `copyStep` of the plan have returned
 */
export function withStrays<T extends HostRecord>(record: T, plan: HostPlan, strays: ReadonlySet<string>): T {
  if (strays.size === 0) return record;
  const files = new Set(record.installedFiles);
  const checksums = new Map(record.checksums);
  const news = new Map(record.newFiles);
  const directories = new Set(record.installedDirectories);
  for (const step of plan.steps) {
    if (!strays.has(step.path)) continue;
    if (step.action === 'remove-directory') directories.add(step.path);
    if (step.action === 'create') for (const each of [files, checksums, news]) each.delete(step.path);
    const left = 'record' in step ? step.record : undefined;
    if (left === undefined || files.has(step.path) || news.has(step.path)) continue;
    if (!left.isNew) files.add(step.path);
    if (left.sha256 !== undefined) (left.isNew ? news : checksums).set(step.path, left.sha256);
  }
  return {
    ...record,
    installedFiles: [...files],
    checksums,
    newFiles: news,
    installedDirectories: [...directories],
  };
}
