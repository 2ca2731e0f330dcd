/** Host files of a switch between deployments: what one side has put there, what the other one wants there. */
import { EMPTY_MANIFEST, readExports } from '../contract/index.ts';
import type { Host } from '../host.ts';
import { type HostPlan, type HostRecord, planHostFiles } from '../host-files/index.ts';
import type { Side } from './course.ts';

export interface PlanRequest {
  readonly host: Pick<Host, 'places'>;
  readonly to: Side | undefined;
  /** What is on the host now. */
  readonly previous: HostRecord | undefined;
  /** Of an undo: what the plan that is undone has found. */
  readonly undo?: Pick<HostPlan, 'gone' | 'before'> | undefined;
  readonly purge?: boolean | undefined;
}

export function planSwitch({ host, to, previous, undo, purge }: PlanRequest): Promise<HostPlan> {
  return planHostFiles({
    places: host.places,
    tree: to?.tree,
    manifest: to === undefined ? EMPTY_MANIFEST : readExports(to.tree).manifest,
    values: to?.deployment.info.values ?? new Map(),
    previous,
    // What one returns to is known: its files are ours, whatever has happened to them in between.
    begun: undo === undefined ? undefined : to?.deployment.info,
    gone: undo?.gone,
    before: undo?.before,
    purge,
  });
}
