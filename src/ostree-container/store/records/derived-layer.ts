/** The commit of a layer that was built on top of the OSTree commit: its files, and how it was imported. */
import { array, dictEntry, lookup, string, uint32, variantOf } from '../../../gvariant/index.ts';
import { type ImportedLayer, impliedMetadata, impliedOf, type StoredLayer } from '../../../layers/index.ts';
import type { Digest } from '../../../oci/index.ts';
import { type Checksum, type ObjectReader, type Transaction, writeCommit } from '../../../ostree/index.ts';

/** Which of the layer's paths were taken, and where to: text that is compared, and nothing else. */
const RULE = 'tako.path-rule';
/** Diff ids of everything below, where hard links lead there: over another base it would be another tree. */
const BELOW = 'tako.layers-below';
/** Entries that were left out, by the first component of their path. */
const FILTERED = 'tako.filtered';

export const COUNTS = array(dictEntry(string, uint32));
export type Counts = ReadonlyMap<string, number>;

/** What the tree of a layer depends on beside its own bytes. */
export interface LayerContext {
  readonly rule: string;
  readonly below: readonly Digest[];
}

export interface DerivedLayer extends StoredLayer {
  readonly commit: Checksum;
  readonly filtered: Counts;
}

export function writeDerivedLayer(
  { writer }: Transaction,
  { tree, implied, filtered, counts }: ImportedLayer,
  { rule, below }: LayerContext,
): Checksum {
  const entries = [...filtered].sort(([a], [b]) => (a < b ? -1 : 1));
  return writeCommit(writer, tree.write(writer), {
    timestamp: 0,
    metadata: [
      ...impliedMetadata(implied),
      [RULE, variantOf(string, rule)],
      ...(counts.linksBelow > 0 ? [[BELOW, variantOf(string, below.join(' '))] as const] : []),
      ...(entries.length > 0 ? [[FILTERED, variantOf(COUNTS, entries)] as const] : []),
    ],
  });
}

/** Undefined when it was imported for another base. What other programs have stored is taken as it is. */
export function readDerivedLayer(
  reader: ObjectReader,
  commit: Checksum,
  { rule, below }: LayerContext,
): DerivedLayer | undefined {
  const { metadata, rootTree, rootMeta } = reader.commit(commit);
  if ((lookup(metadata, RULE, string) ?? rule) !== rule) return undefined;
  const all = below.join(' ');
  if ((lookup(metadata, BELOW, string) ?? all) !== all) return undefined;
  const filtered = new Map(lookup(metadata, FILTERED, COUNTS) ?? []);
  return { commit, root: { rootTree, rootMeta }, implied: impliedOf(metadata), filtered };
}
