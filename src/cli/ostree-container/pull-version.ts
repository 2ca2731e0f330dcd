/** `--tag-version` and what belongs to it: which tag of an image is meant, and what is remembered of that. */
import { jsonTime } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { ImageName, Images } from '../../images/index.ts';
import { openLayout, parseNamed, repositoryName } from '../../oci/index.ts';
import { chooseTag } from '../../version/index.ts';
import { UsageError } from '../arguments.ts';
import type { Opened } from './repo/with-repository.ts';

export interface TagValues {
  readonly ref?: string;
  readonly check?: true;
  readonly tagVersion?: string;
  readonly preReleases?: true;
  readonly hold?: string;
  readonly skip?: readonly string[];
  readonly unhold?: true;
}

export interface NamedVersion {
  readonly name: ImageName;
  /** To be remembered. */
  pulled(commit: string): void;
}

/**
 * What is held and skipped counts from this run on, whether or not its pull succeeds; a check changes nothing.
 * @throws UsageError; CodedError NO_MATCHING_TAG, PATTERN_MALFORMED
 */
export async function versionOf(
  values: TagValues,
  name: ImageName,
  { output, repository, images, signal }: Opened & { readonly images: Images },
): Promise<NamedVersion> {
  const { tagVersion: pattern, ref = '', preReleases } = values;
  if (pattern === undefined) {
    assertWithoutVersion(values);
    return { name, pulled: () => undefined };
  }
  const { readTagState, writeTagState } = await import('../../ostree-container/index.ts');
  const tags = await tagsOf(name, images, signal);
  const before = readTagState(repository, ref, (text) => output.warning(text));
  const state = changed(before, values);
  const tag = chooseTag(tags, { pattern, preReleases: preReleases === true }, state);
  if (values.check !== true && state !== before) writeTagState(repository, ref, state);
  output.info(`${printable(pattern)}: tag ${printable(tag)}`);
  const chosen: ImageName =
    name.transport === 'docker' ? { ...name, location: `${name.location}:${tag}` } : { ...name, selector: tag };
  return {
    name: chosen,
    pulled(commit) {
      const { current } = state;
      if (current?.tag !== tag || current.commit !== commit) {
        writeTagState(repository, ref, { ...state, current: { tag, commit } });
      }
    },
  };
}

type State = ReturnType<typeof import('../../ostree-container/index.ts').readTagState>;

function changed(state: State, { hold, skip = [], unhold }: TagValues): State {
  if (unhold === true && hold !== undefined) throw new UsageError('--hold and --unhold exclude each other');
  if (unhold !== true && hold === undefined && skip.length === 0) return state;
  const at = jsonTime(Date.now());
  const kept = unhold === true ? { ...state, hold: null, skip: [] } : state;
  const others = kept.skip.filter(({ version }) => !skip.includes(version));
  return {
    ...kept,
    hold: hold === undefined ? kept.hold : { version: hold, reason: 'hold', at },
    skip: [...others, ...skip.map((version) => ({ version, reason: 'skip' as const, at }))],
  };
}

function assertWithoutVersion(values: TagValues): void {
  for (const [option, value] of [
    ['--hold', values.hold],
    ['--skip', values.skip],
    ['--unhold', values.unhold],
    ['--pre-releases', values.preReleases],
  ] as const) {
    if (value !== undefined) throw new UsageError(`${option} needs --tag-version PATTERN`);
  }
}

async function tagsOf(name: ImageName, images: Images, signal: AbortSignal): Promise<readonly string[]> {
  if (name.transport === 'oci') {
    if (name.selector !== undefined) throw tagTwice();
    const layout = openLayout(name.location);
    try {
      return layout.tags();
    } finally {
      layout.close();
    }
  }
  if (name.transport !== 'docker') throw new UsageError(`${name.transport}: has no tags to choose from`);
  const reference = parseNamed(name.location);
  if (reference.tag !== undefined || reference.digest !== undefined) throw tagTwice();
  const location = repositoryName(reference);
  return (await images.repository({ ...name, location }, signal)).repository.listTags(signal);
}

function tagTwice(): UsageError {
  return new UsageError('--tag-version chooses the tag', 'name the image without tag and digest');
}

export async function noVerification(): Promise<Error> {
  const { SeedError } = await import('../../ostree-container/index.ts');
  return new SeedError('NO_VERIFICATION', 'nobody is named whose signature the commit must have', {
    hint: 'name a --remote or a --gpg-keyring; --no-verify takes whatever comes',
  });
}
