/** A container brought to what is stored of its image now (spec system-containers 15). */
export { pruneReplaced } from './prune-replaced.ts';
export { planUpdate, type Updated, type UpdateRequest, updateContainer } from './update.ts';
export { type UpdateOutcome, updateAll } from './update-all.ts';
