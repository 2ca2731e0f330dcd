/** Is there a static delta for a commit, from something that is here? Spec 13.3 step 4. */

import { type DeltaDigests, decodeDeltaIndex } from '../delta/index-file.ts';
import { deltaIndexPath, deltaName, deltaPath, parseDeltaName } from '../delta/names.ts';
import { decodeSuperblock, type Superblock } from '../delta/superblock.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { METADATA_LIMIT } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { isWhole } from './commits.ts';
import type { Origin } from './origin.ts';
import type { Wanted } from './wanted.ts';

const INDEX_LIMIT = 16 * 2 ** 20;

export interface DeltaOffer {
  readonly superblock: Superblock;
  /** `deltas/…`, where the parts lie. */
  readonly path: string;
  readonly bytes: number;
}

export interface DeltaSource {
  readonly origin: Origin;
  readonly repository: Repository;
  /** `delta-indexes/` tells which deltas there are. */
  readonly isIndexed: boolean;
  /** The list of the summary. */
  readonly listed: DeltaDigests | undefined;
  /** Only what is listed may be used: the summary is signed, a superblock is not. */
  readonly mustBeListed: boolean;
  readonly signal: AbortSignal;
}

/** Undefined: none that can be used. @throws OstreeError OBJECT_CORRUPT, DELTA_MALFORMED; HttpError */
export async function chooseDelta(source: DeltaSource, wanted: Wanted): Promise<DeltaOffer | undefined> {
  const listed = await listedDeltas(source, wanted.checksum);
  if (listed === undefined) return source.mustBeListed ? undefined : guess(source, wanted);
  const from = bestOf(source, wanted, listed);
  if (from === undefined) return undefined;
  const name = { from: from.commit, to: wanted.checksum };
  const digest = listed.get(deltaName(name));
  const offer = await fetchSuperblock(source, name, digest);
  if (offer !== undefined) return offer;
  throw new OstreeError('DELTA_MISSING', `delta ${deltaName(name)}: listed, but not on the server`, {
    hint: '--disable-static-deltas does without',
    subject: deltaName(name),
  });
}

/** Those that lead to a commit; undefined when nobody lists any. */
async function listedDeltas(source: DeltaSource, to: Checksum): Promise<DeltaDigests | undefined> {
  const { origin, signal, isIndexed, listed, mustBeListed } = source;
  if (isIndexed && !mustBeListed) {
    const file = await origin.get('content', deltaIndexPath(to), INDEX_LIMIT, signal);
    return file === undefined ? new Map() : decodeDeltaIndex(file, `delta index of ${to}`);
  }
  return listed ?? (mustBeListed ? new Map() : undefined);
}

/** The newest commit that is here whole; nothing at all only for a ref that is new. */
function bestOf(
  { repository }: DeltaSource,
  { checksum, previous }: Wanted,
  listed: DeltaDigests,
): { readonly commit: Checksum | undefined } | undefined {
  const reader = objectsOf(repository);
  const names = [...listed.keys()].map(parseDeltaName).filter(({ to }) => to === checksum);
  const here = names.flatMap(({ from }) =>
    from !== undefined && isWhole(repository, from) ? [{ commit: from, timestamp: reader.commit(from).timestamp }] : [],
  );
  const [newest] = here.sort((a, b) => b.timestamp - a.timestamp);
  if (newest !== undefined) return newest;
  const hasScratch = names.some(({ from }) => from === undefined);
  return hasScratch && previous === undefined ? { commit: undefined } : undefined;
}

/** Nobody lists deltas: ask for the one that would fit. */
async function guess(source: DeltaSource, { checksum, previous }: Wanted): Promise<DeltaOffer | undefined> {
  if (previous !== undefined && !isWhole(source.repository, previous)) return undefined;
  if (previous === checksum) return undefined;
  return fetchSuperblock(source, { from: previous, to: checksum }, undefined);
}

async function fetchSuperblock(
  { origin, signal }: DeltaSource,
  name: { readonly from: Checksum | undefined; readonly to: Checksum },
  digest: Checksum | undefined,
): Promise<DeltaOffer | undefined> {
  const path = deltaPath(name);
  const what = `delta ${deltaName(name)}`;
  const bytes = await origin.get('content', `${path}/superblock`, METADATA_LIMIT, signal);
  if (bytes === undefined) return undefined;
  const found = sha256(bytes);
  if (digest !== undefined && found !== digest) {
    throw new OstreeError('OBJECT_CORRUPT', `${what}: expected a superblock of sha256 ${digest}, found ${found}`, {
      subject: deltaName(name),
    });
  }
  const superblock = decodeSuperblock(bytes, what);
  if (superblock.from === name.from && superblock.to === name.to) {
    return { superblock, path, bytes: superblock.parts.reduce((sum, part) => sum + partBytes(part), 0) };
  }
  throw new OstreeError('DELTA_MALFORMED', `${what}: its superblock is that of ${deltaName(superblock)}`);
}

function partBytes({ inline, size }: Superblock['parts'][number]): number {
  return inline === undefined ? size : 0;
}
