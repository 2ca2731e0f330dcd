/** Which commits a pull is about, and which refs will point to them. Spec 13.3 steps 1 to 3, 7. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { assertRefName } from '../repository/ref-names.ts';
import { HEAD, type RefPlace, readRef } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import type { Summary, SummaryRef } from '../summary/summary.ts';
import type { Origin } from './origin.ts';

/** A ref file holds 65 bytes. */
const REF_LIMIT = 4096;

/** What was asked for: `REF`, `REF@CHECKSUM`, `CHECKSUM`. */
export interface Asked {
  readonly ref: string | undefined;
  readonly commit: Checksum | undefined;
}

/** @throws OstreeError REF_NAME */
export function parseAsked(text: string): Asked {
  if (isChecksum(text)) return { ref: undefined, commit: text };
  const at = text.indexOf('@');
  if (at === -1) return { ref: assertRefName(text), commit: undefined };
  const commit = text.slice(at + 1);
  if (!isChecksum(commit)) {
    throw new OstreeError('REF_NAME', `${quote(text)}: expected REF@CHECKSUM, with 64 hex digits`, { subject: text });
  }
  return { ref: assertRefName(text.slice(0, at)), commit };
}

export interface Wanted {
  readonly checksum: Checksum;
  readonly ref: string | undefined;
  /** Where the ref will be written. */
  readonly place: RefPlace;
  readonly size: number | undefined;
  /** What the ref points to now. */
  readonly previous: Checksum | undefined;
}

export interface WantedRequest {
  readonly repository: Repository;
  readonly remote: string;
  readonly collectionId: string | undefined;
  readonly asked: readonly Asked[];
  readonly mirror: boolean;
  readonly summary: Summary | undefined;
  readonly origin: Origin;
  readonly signal: AbortSignal;
}

/** @throws OstreeError REF_MISSING when the remote has no such ref */
export async function findWanted(request: WantedRequest): Promise<readonly Wanted[]> {
  if (request.asked.length === 0) return everything(request);
  const collection = request.mirror ? (request.collectionId ?? request.summary?.collectionId) : undefined;
  const place = placeOf(request, collection);
  const wanted: Wanted[] = [];
  for (const { ref, commit } of request.asked) {
    const listed =
      ref === undefined || request.summary === undefined ? undefined : findListed(request.summary, request, ref);
    const checksum = commit ?? listed?.commit ?? (await resolve(request, ref ?? ''));
    const size = listed?.commit === checksum ? listed.size : undefined;
    wanted.push({ checksum, ref, place, size, previous: previousOf(request.repository, place, ref) });
  }
  return wanted;
}

/** All refs of the summary, those of other collections included: a mirror. */
function everything(request: WantedRequest): readonly Wanted[] {
  const { summary, repository } = request;
  if (summary === undefined) {
    throw new OstreeError('REF_MISSING', 'the server has no summary, which lists all its refs', {
      hint: 'name the refs, or update the summary on the server',
      subject: request.remote,
    });
  }
  const groups: (readonly [string | undefined, readonly SummaryRef[]])[] = [
    [summary.collectionId, summary.refs],
    ...summary.collections,
  ];
  return groups.flatMap(([collection, refs]) => {
    const place = placeOf(request, collection);
    return refs.map(({ ref, commit, size }) => ({
      checksum: commit,
      ref,
      place,
      size,
      previous: previousOf(repository, place, ref),
    }));
  });
}

function placeOf({ mirror, remote }: WantedRequest, collection: string | undefined): RefPlace {
  if (!mirror) return { kind: 'remote', remote };
  return collection === undefined ? HEAD : { kind: 'mirror', collection };
}

function previousOf(repository: Repository, place: RefPlace, ref: string | undefined): Checksum | undefined {
  return ref === undefined ? undefined : readRef(repository, place, ref);
}

function findListed(summary: Summary, { collectionId }: WantedRequest, ref: string): SummaryRef | undefined {
  const isMain = collectionId === undefined || collectionId === summary.collectionId;
  const refs = isMain ? summary.refs : (summary.collections.get(collectionId) ?? []);
  return refs.find((each) => each.ref === ref);
}

/** A summary that does not list a ref is believed; without one the ref's own file is asked for. */
async function resolve({ summary, origin, remote, signal }: WantedRequest, ref: string): Promise<Checksum> {
  const missing = (why: string): OstreeError =>
    new OstreeError('REF_MISSING', `remote ${remote} has no ref ${quote(ref)}${why}`, { subject: ref });
  if (summary !== undefined) throw missing(' in its summary');
  const bytes = await origin.get('metadata', `refs/heads/${ref}`, REF_LIMIT, signal);
  if (bytes === undefined) throw missing('');
  const text = Buffer.from(bytes).toString('latin1').trimEnd();
  if (isChecksum(text)) return text;
  throw new OstreeError(
    'OBJECT_MALFORMED',
    `ref ${quote(ref)} of ${remote}: expected a checksum, found ${quote(text)}`,
    {
      subject: ref,
    },
  );
}
