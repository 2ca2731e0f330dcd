/** Back to the deployment before (spec system-containers 16). */
export { planRollback, type RollbackPlan, type RolledBack, rollBackContainer } from './rollback.ts';
