/** `ostree.sizes` of a commit: what a client would have to fetch. Source: ostree.sizes in ostree-core-private.h. */
import type { Commit } from '../objects/commit.ts';
import { decodeSizes, type ObjectSize, SIZES_KEY } from '../objects/sizes.ts';
import type { ObjectReader } from '../storage/object-reader.ts';

export type { ObjectSize } from '../objects/sizes.ts';

export interface CommitSizes {
  readonly objects: number;
  readonly archived: number;
  readonly unpacked: number;
}

/** Undefined when the commit does not tell. Entries that do not parse are left out: old versions wrote such. */
export function sizesOf({ metadata }: Commit): readonly ObjectSize[] | undefined {
  const held = metadata.find(([key]) => key === SIZES_KEY)?.[1];
  return held && decodeSizes(held);
}

export function totalOf(sizes: readonly ObjectSize[]): CommitSizes {
  return sizes.reduce(
    (sum, { archived, unpacked }) => ({
      objects: sum.objects + 1,
      archived: sum.archived + archived,
      unpacked: sum.unpacked + unpacked,
    }),
    { objects: 0, archived: 0, unpacked: 0 },
  );
}

/** Those that are not in the repository. */
export function neededOf(sizes: readonly ObjectSize[], reader: ObjectReader): readonly ObjectSize[] {
  return sizes.filter(({ checksum, type }) => !reader.has(checksum, type));
}
