/** Texts with variables, as in Python's `string.Template` (spec system-containers 10). */
export { substituteConfig } from './config.ts';
export { assertNoInjectedLines, missingIn, type NamedTemplate, namesMissingIn } from './missing.ts';
export {
  isVariableName,
  type Piece,
  parseTemplate,
  substitute,
  substituteText,
  type Template,
  type Values,
  variablesIn,
} from './template.ts';
