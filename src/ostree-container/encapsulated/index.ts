/** Images of format v1: a commit in, the same commit out; spec 2.4 and 2.6. */
export {
  type Encapsulated,
  type EncapsulatedLayer,
  type EncapsulateOptions,
  encapsulate,
} from './encapsulate.ts';
export { EncapsulatedError, type EncapsulatedErrorCode } from './error.ts';
export type { Components } from './layer-plan.ts';
export { verifierOfTrust } from './received-image.ts';
export { parseRunConfig } from './run-config.ts';
export {
  type LayerState,
  planUnencapsulate,
  type Unencapsulated,
  type UnencapsulateOptions,
  type UnencapsulatePlan,
  unencapsulate,
} from './unencapsulate.ts';
