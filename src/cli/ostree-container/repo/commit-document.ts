/** A commit as JSON. */
import { formatVariant } from '../../../gvariant/index.ts';
import { type Commit, contentChecksum } from '../../../ostree/index.ts';

/** Metadata are GVariant text, numbers as they are stored: many tools swap their bytes, and nothing tells which. */
export function commitDocument(commit: string, value: Commit) {
  const date = new Date(value.timestamp * 1000);
  return {
    commit,
    parent: value.parent ?? null,
    contentChecksum: contentChecksum(value),
    timestamp: Number.isNaN(date.getTime()) ? null : `${date.toISOString().slice(0, -5)}Z`,
    subject: value.subject,
    body: value.body,
    rootTree: value.rootTree,
    rootMeta: value.rootMeta,
    metadata: Object.fromEntries(value.metadata.map(([key, held]) => [key, formatVariant(held)])),
  };
}
