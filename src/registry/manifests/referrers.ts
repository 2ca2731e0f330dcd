/** What points at a manifest: signatures, attestations, lists of contents. Distribution specification 1.1, "Listing Referrers". */
import type { HttpResponse } from '../../http/index.ts';
import {
  type Descriptor,
  type Digest,
  type ImageIndex,
  MANIFEST_LIMIT,
  MEDIA,
  parseManifest,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import { type Asked, nonsense } from '../error.ts';
import { referrersTag } from '../names.ts';
import type { Session } from '../session/session.ts';
import { isSuccess } from '../session/statuses.ts';
import { findManifest, putManifest } from './manifests.ts';
import { readPages } from './pages.ts';

const REFERRERS = 10_000;
/** What registries answer that do not know the question. */
const UNKNOWN = new Set([400, 404, 405, 406]);

export interface ReferrersOf {
  readonly session: Session;
  readonly repository: string;
  readonly subject: Digest;
}

/** By the registry's own list or, where it keeps none, by the index under the tag that stands in for it. */
export async function listReferrers(
  of: ReferrersOf,
  artifactType: string | undefined,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const found =
    (await askReferrers(of, artifactType, signal)) ?? (await readFallback(of, signal))?.index.manifests ?? [];
  return artifactType === undefined ? found : found.filter((descriptor) => descriptor.artifactType === artifactType);
}

/** Undefined where the registry has no such list. A filter is a wish; who asks sorts out for himself. */
async function askReferrers(
  { session, repository, subject }: ReferrersOf,
  artifactType: string | undefined,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const what = `referrers of ${subject} in ${repository}`;
  const asked = session.asked(what);
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Descriptor[] = [];
  let isKnown = true;
  const read = (page: HttpResponse): boolean => {
    const index = isSuccess(page.status) ? referrersIndex(asked, page) : undefined;
    if (index === undefined && found.length > 0) throw nonsense(asked, 'the next page', `status ${page.status}`);
    isKnown = index !== undefined;
    for (const descriptor of index?.manifests ?? []) found.push(descriptor);
    if (found.length > REFERRERS) throw nonsense(asked, `at most ${REFERRERS} referrers`, 'more');
    return isKnown;
  };
  const ask = {
    what,
    at: `/v2/${repository}/referrers/${subject}${query}`,
    scopes: repositoryScope(repository, 'pull'),
    headers: { accept: MEDIA.ociIndex },
    answers: (status: number) => isSuccess(status) || UNKNOWN.has(status),
  };
  await readPages(session, ask, read, signal);
  return isKnown ? found : undefined;
}

/** A page of HTML with status 200 is no list. */
function referrersIndex(asked: Asked, { headers, bytes }: HttpResponse): ImageIndex | undefined {
  if (headers.get('content-type')?.split(';')[0]?.trim() !== MEDIA.ociIndex) return undefined;
  const manifest = parseManifest(rawManifest(bytes, MEDIA.ociIndex));
  if (manifest.kind !== 'index') throw nonsense(asked, 'an index', 'another manifest');
  return manifest;
}

interface Fallback {
  readonly raw: RawManifest;
  readonly index: ImageIndex;
}

async function readFallback(of: ReferrersOf, signal: AbortSignal): Promise<Fallback | undefined> {
  const { session, repository, subject } = of;
  const tag = referrersTag(subject);
  const raw = await findManifest(session, repository, tag, signal);
  if (raw === undefined) return undefined;
  const index = parseManifest(raw);
  if (index.kind === 'index') return { raw, index };
  throw nonsense(session.asked(`referrers under the tag ${tag} of ${repository}`), 'an index', 'an image');
}

/**
 * Registries that list referrers themselves learn of one when its manifest is pushed; for the others it is added to the
 * index under the tag that stands in. Two who do that at the same moment lose one of the two: the specification has no
 * lock for it.
 */
export async function addReferrer(of: ReferrersOf, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
  if ((await askReferrers(of, undefined, signal)) !== undefined) return;
  const fallback = await readFallback(of, signal);
  if (fallback?.index.manifests.some(({ digest }) => digest === descriptor.digest)) return;
  await writeFallback(of, fallback, (manifests) => [...manifests, descriptor], signal);
}

/** After the referrer itself has been deleted. */
export async function removeReferrer(of: ReferrersOf, digest: Digest, signal: AbortSignal): Promise<void> {
  const fallback = await readFallback(of, signal);
  if (fallback?.index.manifests.some((known) => known.digest === digest) !== true) return;
  await writeFallback(of, fallback, (manifests) => manifests.filter((known) => digestIn(known) !== digest), signal);
}

/** Whatever else stands in the index, fields of later specifications included, stays in it. */
async function writeFallback(
  { session, repository, subject }: ReferrersOf,
  fallback: Fallback | undefined,
  change: (manifests: readonly unknown[]) => readonly unknown[],
  signal: AbortSignal,
): Promise<void> {
  const empty = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [] };
  const document = fallback === undefined ? empty : JSON.parse(Buffer.from(fallback.raw.bytes).toString());
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests: change(document.manifests ?? []) }));
  if (bytes.length > MANIFEST_LIMIT) {
    const asked = session.asked(`referrers of ${subject} in ${repository}`);
    throw nonsense(asked, `an index of at most ${MANIFEST_LIMIT} bytes`, `${bytes.length}`);
  }
  await putManifest(session, repository, rawManifest(bytes, MEDIA.ociIndex), referrersTag(subject), signal);
}

function digestIn(descriptor: unknown): unknown {
  return typeof descriptor === 'object' && descriptor !== null && 'digest' in descriptor
    ? descriptor.digest
    : undefined;
}
