/** Versions, their order, and the patterns that choose among them: for manifests and for tags. */
export { chooseTag, NO_MARKS, type TagMarks, type TagRequest } from './choose-tag.ts';
export { matches, type Pattern, parsePattern, select } from './pattern.ts';
export { compareVersions, parseVersion, type Version, versionKey } from './version.ts';
