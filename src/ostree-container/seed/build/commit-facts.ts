/** The commit that becomes an image, and what it says of that. */
import type { Checksum, Commit, ObjectReader } from '../../../ostree/index.ts';
import { type ContainerFacts, containerFacts } from '../../labels/index.ts';

export interface CommitFacts extends ContainerFacts {
  readonly checksum: Checksum;
  readonly commit: Commit;
}

export function commitFacts(reader: ObjectReader, checksum: Checksum): CommitFacts {
  const commit = reader.commit(checksum);
  return { checksum, commit, ...containerFacts(commit) };
}
