/** Images into the store. */
export type { LayerKind, PlannedLayer, StorePrepareOptions, StorePull, StorePullOptions } from './options.ts';
export { checkStore, pullIntoStore, type StorePlan } from './pull-into-store.ts';
