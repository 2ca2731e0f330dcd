import type { Digest } from '../../oci/index.ts';
import { mergeScopes, repositoryScope } from '../auth/scope.ts';
import { assertRepository } from '../names.ts';
import type { Session } from '../session/session.ts';
import { locationOf } from './location.ts';

export type Mounted =
  | { readonly kind: 'mounted' }
  /** The registry would rather have the bytes, and says where to send them. */
  | { readonly kind: 'begun'; readonly place: URL | undefined }
  | { readonly kind: 'refused' };

const REFUSALS = new Set([400, 401, 403, 404, 405]);

/** Take over a blob from another repository of the same registry. */
export async function mountBlob(
  session: Session,
  repository: string,
  digest: Digest,
  from: string,
  signal: AbortSignal,
): Promise<Mounted> {
  assertRepository(from);
  const what = `mount of blob ${digest} from ${from} to ${repository}`;
  const query = `mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
  const response = await session.ask(
    {
      what,
      method: 'POST',
      at: `/v2/${repository}/blobs/uploads/?${query}`,
      scopes: mergeScopes(repositoryScope(repository, 'pull', 'push'), repositoryScope(from, 'pull')),
      answers: (status) => status === 201 || status === 202 || REFUSALS.has(status),
      retry: true,
    },
    signal,
  );
  if (response.status === 201) return { kind: 'mounted' };
  if (response.status !== 202) return { kind: 'refused' };
  return { kind: 'begun', place: locationOf(session.asked(what), response, session.insecure) };
}
