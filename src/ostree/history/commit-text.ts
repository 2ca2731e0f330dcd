/** A commit for people, line by line as `ostree log` and `ostree show` print it. */
import { lookup, string, type Variant } from '../../gvariant/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { COMMIT, type Commit, contentChecksum } from '../objects/commit.ts';
import type { MetadataType } from '../objects/object-type.ts';

/** GLib knows no time after the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** Without its signatures. The last line is empty. */
export function describeCommit(checksum: Checksum, commit: Commit): string[] {
  const version = lookup(commit.metadata, 'version', string);
  return [
    `commit ${checksum}`,
    ...(commit.parent === undefined ? [] : [`Parent:  ${commit.parent}`]),
    `ContentChecksum:  ${contentChecksum(commit)}`,
    `Date:  ${formatDate(commit.timestamp)}`,
    ...(version === undefined ? [] : [`Version: ${version}`]),
    ...(commit.subject === '' ? ['(no subject)'] : ['', ...indented(commit.subject)]),
    ...(commit.body === '' ? [] : ['', ...indented(commit.body)]),
    '',
  ];
}

/** @param seconds since the epoch. A date that no calendar has is shown as that number. */
function formatDate(seconds: number): string {
  if (seconds > LAST_SECOND) return `@${seconds}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000`;
}

function indented(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `    ${line}`);
}

/** What the bytes of a metadata object are. */
const SIGNATURES: Readonly<Record<MetadataType, string>> = {
  commit: COMMIT.signature,
  dirtree: '(a(say)a(sayay))',
  dirmeta: '(uuua(ayay))',
};

/** A metadata object as a value, for `--raw`. */
export function variantOfObject(type: MetadataType, object: Uint8Array): Variant {
  return { signature: SIGNATURES[type], bytes: object };
}
