import { decodeDecimal } from '../../base/decode.ts';
import type { Digest } from '../../oci/index.ts';
import type { Action } from '../auth/scope.ts';
import { repositoryScope } from '../auth/scope.ts';
import type { Session } from '../session/session.ts';
import { isSuccess } from '../session/statuses.ts';

/**
 * The size of a blob that is there. Undefined where it is not, and where a registry cannot tell: then it is sent again,
 * which does no harm.
 */
export async function hasBlob(
  session: Session,
  repository: string,
  digest: Digest,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const answer = await session.ask(
    {
      what: `blob ${digest} of ${repository}`,
      method: 'HEAD',
      at: `/v2/${repository}/blobs/${digest}`,
      scopes: repositoryScope(repository, ...actions),
      answers: (status) => isSuccess(status) || status === 404 || status === 405,
    },
    signal,
  );
  return isSuccess(answer.status) ? decodeDecimal(answer.headers.get('content-length') ?? '') : undefined;
}
