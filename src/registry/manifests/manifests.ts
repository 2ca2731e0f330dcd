/** Manifests in exactly the bytes that have the digest. */
import { decodeDecimal } from '../../base/decode.ts';
import {
  ACCEPTED_MANIFESTS,
  assertDigest,
  type Digest,
  isDigest,
  MANIFEST_LIMIT,
  MEDIA,
  OciError,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import { RegistryError } from '../error.ts';
import { assertReference } from '../names.ts';
import type { Ask, Session } from '../session/session.ts';
import { isSuccess } from '../session/statuses.ts';
import { assertSameDigest } from '../upload/blob-upload.ts';

export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** Schema 1 comes last, so that an image of that age is refused by its name rather than as missing. */
const ACCEPT = [...ACCEPTED_MANIFESTS, MEDIA.dockerSchema1Signed, MEDIA.dockerSchema1].join(', ');

/** @throws RegistryError; OciError INVALID_DIGEST when the bytes are not what was asked for, or not what the registry says */
export async function getManifest(
  session: Session,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<RawManifest> {
  const ask = { ...manifestAsk(repository, reference), limit: MANIFEST_LIMIT };
  const { bytes, headers } = await session.ask(ask, signal);
  const stated = headers.get('docker-content-digest');
  const expected = [reference, stated].find((text) => text !== undefined && isDigest(text));
  const where = `${session.asked(ask.what).host}: ${ask.what}`;
  if (expected !== undefined) assertDigest(where, bytes, expected);
  try {
    return rawManifest(bytes, headers.get('content-type'), isDigest(reference) ? reference : undefined);
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new OciError(error.code, where, { cause: error, subject: session.asked(ask.what).host });
  }
}

/** Undefined where there is none. */
export async function headManifest(
  session: Session,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<ManifestHead | undefined> {
  const answers = (status: number): boolean => isSuccess(status) || status === 404 || status === 405;
  const ask = { ...manifestAsk(repository, reference), method: 'HEAD', answers };
  const { status, headers } = await session.ask(ask, signal);
  if (status === 404) return undefined;
  const size = decodeDecimal(headers.get('content-length') ?? '');
  const digest = isDigest(reference) ? reference : (headers.get('docker-content-digest') ?? '');
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim();
  if (isSuccess(status) && size !== undefined && mediaType !== undefined && isDigest(digest)) {
    return { digest, mediaType, size };
  }
  const raw = await findManifest(session, repository, reference, signal); // it tells too little, or no HEAD is taken
  return raw === undefined ? undefined : { digest: raw.digest, mediaType: raw.mediaType, size: raw.bytes.length };
}

/** Undefined where there is none. */
export async function findManifest(
  session: Session,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<RawManifest | undefined> {
  try {
    return await getManifest(session, repository, reference, signal);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND') return undefined;
    throw error;
  }
}

/** @returns whether the registry has noted the manifest as a referrer of its subject */
export async function putManifest(
  session: Session,
  repository: string,
  raw: RawManifest,
  reference: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (isDigest(reference)) assertDigest('manifest', raw.bytes, reference);
  const { what, at } = manifestAsk(repository, reference);
  const response = await session.ask(
    {
      what: `push of ${what}`,
      method: 'PUT',
      at,
      scopes: repositoryScope(repository, 'pull', 'push'),
      headers: { 'content-type': raw.mediaType },
      body: raw.bytes,
    },
    signal,
  );
  assertSameDigest(session.asked(`push of ${what}`), response, raw.digest);
  return response.headers.has('oci-subject');
}

export async function deleteManifest(
  session: Session,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  const { what, at } = manifestAsk(repository, reference);
  const scopes = repositoryScope(repository, 'pull', 'delete');
  await session.ask({ what: `deletion of ${what}`, method: 'DELETE', at, scopes }, signal);
}

function manifestAsk(repository: string, reference: string): Ask {
  assertReference(reference);
  return {
    what: `manifest ${reference} of ${repository}`,
    at: `/v2/${repository}/manifests/${reference}`,
    scopes: repositoryScope(repository, 'pull'),
    headers: { accept: ACCEPT },
  };
}
