/** The files of a commit in the container, and where each content is kept. */
import type { Digest } from '../../../oci/index.ts';
import type { Checksum, ObjectReader, Reach } from '../../../ostree/index.ts';
import type { BaseTree } from '../base/base-tree.ts';
import { differenceOf } from '../base/difference.ts';
import { formatMapHead, formatMappedFile } from '../format/object-map.ts';
import { type Place, placesOf } from '../format/places.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { LayerEntry } from './files-layer.ts';

interface ContentFacts {
  readonly size: number;
  readonly target: string | undefined;
}

export interface Contents {
  /** Of the layer of files. */
  readonly entries: readonly LayerEntry[];
  /** Bytes of contents that the layer of files has. */
  readonly fileBytes: number;
  /** Lines of the object map. */
  readonly map: readonly string[];
  /** Content objects that the repository of the image has. */
  readonly stored: readonly Checksum[];
  /** Those that the base has instead. */
  readonly external: number;
  /** Of the base, with any of those. */
  readonly externalLayers: readonly Digest[];
  readonly hasShell: boolean;
}

/** @param base its files are not brought again */
export function contentsOf(
  reader: ObjectReader,
  { checksum, commit }: CommitFacts,
  reach: Reach,
  base: BaseTree | undefined,
): Contents {
  const places = [...placesOf(reader, commit)];
  const { entries, same } =
    base === undefined
      ? { entries: places, same: new Map() as ReturnType<typeof differenceOf>['same'] }
      : differenceOf(places, base.root);
  const facts = new Map<Checksum, ContentFacts>();
  const factsOf = (object: Checksum): ContentFacts => {
    const found = facts.get(object) ?? readFacts(reader, object);
    facts.set(object, found);
    return found;
  };
  // Links are small, and a layer may lose them to whatever it was packed with.
  const files = places.filter((place) => place.kind === 'file');
  const external = new Map(
    files.flatMap((place) => {
      const found = same.get(place.path);
      return found === undefined || factsOf(place.checksum).target !== undefined
        ? []
        : [[place.checksum, found] as const];
    }),
  );
  const lines = files.map((place) => {
    const path = `/${place.path}`;
    const { size, target } = factsOf(place.checksum);
    const own = same.get(place.path);
    const kept = external.get(place.checksum);
    const where = own === undefined ? { layer: undefined, source: path } : { layer: own.layer, source: own.source };
    const outside = kept === undefined ? undefined : { header: kept.header, ...where };
    const line = {
      path,
      object: place.checksum,
      size: target === undefined ? size : undefined,
      target,
      external: outside,
    };
    return { key: Buffer.from(path), text: formatMappedFile(line) };
  });
  lines.sort((a, b) => Buffer.compare(a.key, b.key));
  return {
    entries,
    fileBytes: sizeOfFiles(entries, factsOf),
    map: [formatMapHead(checksum), ...lines.map(({ text }) => text)],
    stored: [...reach.files].filter((object) => !external.has(object)).sort(),
    external: external.size,
    externalLayers: [...new Set([...external.values()].map(({ layer }) => layer))],
    hasShell: places.some(isShell),
  };
}

function readFacts(reader: ObjectReader, object: Checksum): ContentFacts {
  const stored = reader.file(object);
  try {
    return { size: stored.size, target: stored.header.target };
  } finally {
    stored.close();
  }
}

/** What a hard link brings does not count. */
function sizeOfFiles(entries: readonly LayerEntry[], factsOf: (object: Checksum) => ContentFacts): number {
  const seen = new Set<Checksum>();
  let bytes = 0;
  for (const entry of entries) {
    if (entry.kind !== 'file' || (entry.path.startsWith('usr/') && seen.has(entry.checksum))) continue;
    seen.add(entry.checksum);
    bytes += factsOf(entry.checksum).size;
  }
  return bytes;
}

/** `/bin` is a link to `usr/bin` in most trees. */
function isShell({ kind, path }: Place): boolean {
  return kind === 'file' && (path === 'bin/sh' || path === 'usr/bin/sh');
}
