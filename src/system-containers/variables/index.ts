/** Values of the variables in templates: where each comes from (spec system-containers 11). */
export { type AskedVariables, askedVariables } from './asked.ts';
export { likelyValues } from './built-in.ts';
export { defaultUnit } from './default-unit.ts';
export { type ExecLines, type ExecRequest, execLines, isDetached } from './exec-lines.ts';
export { mergeSetValues, userSetValues } from './set-values.ts';
export { FORCED, isForced, parseSettings } from './settings.ts';
export { type ValuesRequest, valuesFor } from './values.ts';
