/** What an image's author can do better, found without installing it. */
export type { Finding, Severity } from './finding.ts';
export { lintImage } from './lint-image.ts';
export { type LintReport, lintNamed } from './lint-named.ts';
