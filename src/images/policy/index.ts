/** Policies of the containers tools: which images may be used. */
export { evaluatePolicy, type PolicyContext, type PolicyVerdict } from './evaluate.ts';
export { type FoundPolicy, findPolicy, type PolicySearch } from './find-policy.ts';
export { type IdentityMatch, matchIdentity } from './identity-match.ts';
export { type Policy, parsePolicy, type Requirements } from './policy-file.ts';
export type { KeySource, Requirement } from './requirement.ts';
export { scopesOf } from './scopes.ts';
