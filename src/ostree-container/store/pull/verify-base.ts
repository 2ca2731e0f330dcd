/** The commit in an image: is it the one that the image says, and signed as it has to be? Also when it is here already. */
import {
  decodeCommit,
  objectsOf,
  type Repository,
  type SignatureReport,
  type Verifier,
} from '../../../ostree/index.ts';
import { assertCommitLabel, type ImageLayers } from '../../labels/index.ts';
import { type CommitHead, verifyHead } from '../../stream/index.ts';

/** @throws LabelError COMMIT_LABEL_MISMATCH; StreamError; OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
export async function verifyBase(
  head: CommitHead,
  { commit: label }: ImageLayers,
  verifier: Verifier | undefined,
): Promise<readonly SignatureReport[]> {
  assertCommitLabel(label, head.checksum);
  return verifier === undefined ? [] : verifyHead(head, verifier);
}

/** As it is in the repository, with the detached metadata that are there. @throws OstreeError OBJECT_MISSING */
export function storedHead(repository: Repository, checksum: string): CommitHead {
  const reader = objectsOf(repository);
  const bytes = reader.metadata(checksum, 'commit');
  const commit = decodeCommit(bytes, `commit ${checksum}`);
  return { checksum, commit, bytes, detached: reader.metadataIfPresent(checksum, 'commitmeta') };
}
