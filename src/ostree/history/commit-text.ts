/** A commit for people, line by line as `ostree log` and `ostree show` print it. */
import { formatVariant, lookup, string, type Variant } from '../../gvariant/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { COMMIT, type Commit, contentChecksum } from '../objects/commit.ts';
import type { MetadataType } from '../objects/object-type.ts';
import { byteswapVariant } from './byteswap.ts';

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

/** What the bytes of a metadata object are, for `--raw`. */
const SIGNATURES: Readonly<Record<MetadataType, string>> = {
  commit: COMMIT.signature,
  dirtree: '(a(say)a(sayay))',
  dirmeta: '(uuua(ayay))',
};

/** The name of a metadata object and its GVariant text. @throws GVariantError for bytes that are not in normal form */
export function describeRaw(type: MetadataType, checksum: Checksum, object: Uint8Array, swapped: boolean): string[] {
  return [`${type} ${checksum}`, formatNumbers({ signature: SIGNATURES[type], bytes: object }, swapped)];
}

/** @param swapped numbers are big-endian, as OSTree's own ones are */
export function formatNumbers(value: Variant, swapped: boolean): string {
  return formatVariant(swapped ? byteswapVariant(value) : value);
}
