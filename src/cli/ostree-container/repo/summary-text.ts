/** A summary in the words of `ostree summary --view`. */
import { formatVariant, type Vardict, type Variant } from '../../../gvariant/index.ts';
import { SUMMARY_KEYS, type Summary, type SummaryRef } from '../../../ostree/index.ts';
import { formatGlibSize } from './glib-size.ts';

export function summaryLines(summary: Summary): string[] {
  return [
    ...summary.refs.flatMap((ref) => refLines(ref, summary.collectionId)),
    ...[...summary.collections].flatMap(([id, refs]) => refs.flatMap((ref) => refLines(ref, id))),
    ...summary.metadata.map(([key, value]) => metadataLine(summary, key, value)),
  ];
}

function refLines(ref: SummaryRef, collection: string | undefined): string[] {
  return [
    `* ${collection === undefined ? ref.ref : `(${collection}, ${ref.ref})`}`,
    `    Latest Commit (${formatGlibSize(ref.size)}):`,
    `      ${ref.commit}`,
    ...ref.metadata.map(([key, value]) => `    ${refDetail(ref, key, value)}`),
    '',
  ];
}

function refDetail({ version, timestamp }: SummaryRef, key: string, value: Variant): string {
  if (key === SUMMARY_KEYS.version && version !== undefined) return `Version (${key}): ${version}`;
  if (key === SUMMARY_KEYS.timestamp && timestamp !== undefined) return `Timestamp (${key}): ${formatTime(timestamp)}`;
  return `${key}: ${formatVariant(value, false)}`;
}

function metadataLine(summary: Summary, key: string, value: Variant): string {
  const plain = formatVariant(value, false);
  const known = (name: string, text = plain): string => `${name} (${key}): ${text}`;
  switch (key) {
    case SUMMARY_KEYS.deltas:
      return known('Static Deltas');
    case SUMMARY_KEYS.lastModified:
      return known('Last-Modified', formatTime(summary.lastModified));
    case SUMMARY_KEYS.expires:
      return known('Expires', formatTime(summary.expires));
    case SUMMARY_KEYS.collectionId:
      return known('Collection ID', summary.collectionId);
    case SUMMARY_KEYS.collectionMap:
      return known('Collection Map', '(printed above)');
    case SUMMARY_KEYS.mode:
      return known('Repository Mode', summary.mode);
    case SUMMARY_KEYS.tombstoneCommits:
      return known('Has Tombstone Commits', summary.tombstoneCommits ? 'Yes' : 'No');
    default:
      return `${key}: ${plain}`;
  }
}

function formatTime(seconds = 0): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds}` : `${date.toISOString().slice(0, 19)}+00`;
}

/** In one map for documents: keys of any name, values as GVariant text. */
export function metadataTexts(metadata: Vardict): Record<string, string> {
  return Object.fromEntries(metadata.map(([key, value]) => [key, formatVariant(value)]));
}
