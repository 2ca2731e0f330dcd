/** What an image says of its commit: labels in the configuration, and the same as annotations of the manifest (2.4). */
import { jsonTime } from '../../base/json.ts';
import { quote } from '../../base/text.ts';
import { boolean, lookup, string } from '../../gvariant/index.ts';
import type { Checksum, Commit } from '../../ostree/index.ts';
import { containerFacts, LABELS } from '../labels/index.ts';
import { EncapsulatedError } from './error.ts';

/** Which layers are whose: nobody else can know. */
const RESERVED: readonly string[] = [LABELS.commit, LABELS.finalDiffId];
/** Four digits of a year are all that RFC 3339 has. */
const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

export interface LabelRequest {
  /** Metadata of the commit that become labels, and have to be there. */
  readonly copyMetadata?: readonly string[] | undefined;
  /** The same, where they are there. */
  readonly copyMetadataOptional?: readonly string[] | undefined;
  /** The version once more, under the old name `version`. */
  readonly versionLabel?: boolean | undefined;
  /** Later ones win. */
  readonly more?: Iterable<readonly [string, string]> | undefined;
}

/** @throws EncapsulatedError COMMIT_METADATA, LABEL_RESERVED; GVariantError */
export function commitLabels({ metadata }: Commit, request: LabelRequest): Map<string, string> {
  const labels = new Map<string, string>();
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) labels.set(name, value);
  };
  const bootable = lookup(metadata, LABELS.bootable, boolean);
  if (bootable !== undefined) labels.set(LABELS.bootable, String(bootable)).set(LABELS.bootc, '1');
  put(LABELS.linux, lookup(metadata, LABELS.linux, string));
  const version = lookup(metadata, 'version', string);
  put(LABELS.version, version);
  if (request.versionLabel === true) put('version', version);
  for (const key of request.copyMetadata ?? []) put(key, textOf(metadata, key) ?? absent(key));
  for (const key of request.copyMetadataOptional ?? []) put(key, textOf(metadata, key));
  for (const [name, value] of request.more ?? []) labels.set(name, value);
  for (const name of RESERVED) if (labels.has(name)) throw reserved(name);
  return labels;
}

/** What cannot be said by a label. */
export interface CommitFacts {
  readonly architecture: string;
  readonly command: readonly string[] | undefined;
  /** RFC 3339. */
  readonly created: string;
  /** For people, in the history. */
  readonly title: string;
}

/** @throws EncapsulatedError COMMIT_TIME */
export function commitFacts(checksum: Checksum, commit: Commit): CommitFacts {
  const { subject, timestamp } = commit;
  const { platform, command } = containerFacts(commit);
  if (timestamp > LAST_SECOND) {
    const text = `commit ${checksum}: expected a time before the year 10000, found ${timestamp} seconds`;
    throw new EncapsulatedError('COMMIT_TIME', text, { subject: checksum });
  }
  return {
    architecture: platform.architecture,
    command,
    created: jsonTime(timestamp * 1000),
    title: subject === '' ? `ostree export of commit ${checksum}` : subject,
  };
}

/** Sorted, as every other tool writes them. */
export function labelObject(labels: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...labels].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}

function textOf(metadata: Commit['metadata'], key: string): string | undefined {
  const value = lookup(metadata, key, string);
  if (value !== undefined || !metadata.some(([name]) => name === key)) return value;
  throw new EncapsulatedError('COMMIT_METADATA', `metadata ${quote(key)} of the commit: expected a text`, {
    subject: key,
  });
}

function absent(key: string): never {
  throw new EncapsulatedError('COMMIT_METADATA', `metadata ${quote(key)}: the commit has none of that name`, {
    hint: 'what may be missing is copied with --copymeta-opt',
    subject: key,
  });
}

function reserved(name: string): EncapsulatedError {
  return new EncapsulatedError(
    'LABEL_RESERVED',
    `label ${name}: says which layers are the commit's, and is set by this program alone`,
    {
      subject: name,
    },
  );
}
