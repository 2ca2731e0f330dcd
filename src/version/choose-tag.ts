/** The tag that a version pattern means, with what is held and skipped (spec tako 4, and holds as `tako` has them). */
import { CodedError } from '../base/error.ts';
import { quote } from '../base/text.ts';
import { matches, parsePattern, select } from './pattern.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

export interface TagRequest {
  /** As in `Version=` of tako: `1.*`, `1.2.3`, `1.0 <= v < 2.0`. */
  readonly pattern: string;
  /** Also versions with a word in them, such as `1.6-beta`; a pattern that has such a word asks for them, too. */
  readonly preReleases: boolean;
}

/** What somebody has decided, and what is here. */
export interface TagMarks {
  readonly hold: { readonly version: string } | null;
  readonly skip: readonly { readonly version: string }[];
  readonly current: { readonly tag: string } | null;
}

export const NO_MARKS: TagMarks = { hold: null, skip: [], current: null };

/**
 * The newest tag that matches. A hold allows one version; behind a skipped version only what is newer than every
 * skipped one is taken, else what is here stays.
 * @throws CodedError NO_MATCHING_TAG, PATTERN_MALFORMED
 */
export function chooseTag(
  tags: readonly string[],
  { pattern: text, preReleases }: TagRequest,
  state: TagMarks,
): string {
  const pattern = parsePattern(text);
  const wantsWords = preReleases || hasWord(parseVersion(text.replaceAll('*', '')));
  const usable = tags.filter((tag) => isVersion(parseVersion(tag)) && (wantsWords || !hasWord(parseVersion(tag))));
  const matching = select(pattern, usable, parseVersion);
  const found = matching.find((tag) => isAllowed(parseVersion(tag), state));
  if (found !== undefined) return found;
  const kept = state.current === null ? undefined : matching.find((tag) => tag === state.current?.tag);
  if (kept !== undefined && state.hold === null) return kept;
  throw new CodedError('NO_MATCHING_TAG', `no tag matches ${quote(text)}${reason(matching, state)}`, {
    hint: hintFor(tags, usable, text, matching),
    subject: text,
  });
}

/** `latest` is a name, and no version. */
function isVersion({ parts }: Version): boolean {
  return parts.some(({ kind }) => kind === 'number');
}

/** A leading `v` is a habit. */
function hasWord({ text }: Version): boolean {
  return parseVersion(text.replace(/^v(?=[0-9])/, '')).parts.some(({ kind }) => kind === 'string');
}

function isAllowed(version: Version, { hold, skip }: Pick<TagMarks, 'hold' | 'skip'>): boolean {
  if (hold !== null) return compareVersions(version, parseVersion(hold.version)) === 0;
  return skip.every((mark) => compareVersions(version, parseVersion(mark.version)) > 0);
}

function reason(matching: readonly string[], { hold, skip }: Pick<TagMarks, 'hold' | 'skip'>): string {
  if (matching.length === 0) return '';
  if (hold !== null) return ` that is held: ${hold.version}`;
  return ` that is newer than the skipped ${skip.map(({ version }) => version).join(', ')}`;
}

function hintFor(
  tags: readonly string[],
  usable: readonly string[],
  text: string,
  matching: readonly string[],
): string | undefined {
  if (matching.length > 0) return '"--unhold" forgets what is held and skipped';
  const pattern = parsePattern(text);
  const others = tags.filter((tag) => !usable.includes(tag) && matches(pattern, parseVersion(tag)));
  return others.length > 0 ? '"--pre-releases" takes versions with a word in them, too' : undefined;
}
