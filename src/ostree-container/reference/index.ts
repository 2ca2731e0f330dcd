/** Names of images, with whom to trust in front, and as parts of refs; spec 2.7 and 2.8. */
export { parseContainerReference } from './container-reference.ts';
export { OstreeReferenceError, type ReferenceErrorCode } from './error.ts';
export { escapeRef, unescapeRef } from './escape.ts';
export { formatOstreeReference, type OstreeReference, parseOstreeReference, type Trust } from './ostree-reference.ts';
