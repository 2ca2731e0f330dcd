/** How much two commits share: `diff --stats`. */
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { Reach, reachTree } from './reach.ts';

export interface CommonObjects {
  /** Objects of each commit, itself included. */
  readonly before: number;
  readonly after: number;
  readonly common: number;
  /** Of the common ones, as they lie in the repository, in bytes. */
  readonly commonBytes: number;
}

/** @throws OstreeError OBJECT_MISSING */
export function commonObjects(reader: ObjectReader, before: Checksum, after: Checksum): CommonObjects {
  const [a, b] = [reachOf(reader, before), reachOf(reader, after)];
  let common = 0;
  let commonBytes = 0;
  for (const { checksum, type } of a.names()) {
    if (!b.has(checksum, type)) continue;
    common++;
    commonBytes += reader.find(checksum, type)?.stats.size ?? 0;
  }
  return { before: a.size, after: b.size, common, commonBytes };
}

function reachOf(reader: ObjectReader, commit: Checksum): Reach {
  const reach = new Reach();
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach);
  return reach;
}
