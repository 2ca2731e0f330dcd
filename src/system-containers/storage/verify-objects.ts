/** Everything that an image leads to in the repository, read back and hashed. */
import crypto from 'node:crypto';
import {
  type Checksum,
  encodeFileHeader,
  type ObjectReader,
  type ObjectType,
  objectsOf,
  Reach,
  type Repository,
  reachTree,
  sha256,
} from '../../ostree/index.ts';
import { blobCommit } from './branch.ts';
import type { StoredImage } from './stored-image.ts';

export interface ObjectProblem {
  readonly checksum: Checksum;
  readonly type: ObjectType;
  readonly problem: 'missing' | 'corrupt';
}

/**
 * Commits, trees and files of the image, its configuration and its layers. One object after the other; of a large file
 * no more than a piece is in memory.
 * @throws OstreeError OBJECT_MALFORMED for a tree that cannot be walked
 */
export async function verifyImage(
  repository: Repository,
  image: StoredImage,
  signal: AbortSignal,
): Promise<readonly ObjectProblem[]> {
  const reader = objectsOf(repository);
  const blobs = [...image.layers, ...(image.config === undefined ? [] : [image.config])];
  const commits = [image.commit, ...blobs.flatMap((digest) => blobCommit(repository, digest) ?? [])];
  const problems: ObjectProblem[] = [];
  const reach = new Reach();
  for (const commit of commits) reachCommit(reader, commit, reach, problems);
  for (const { checksum, type } of reach.names()) {
    signal.throwIfAborted();
    const problem = await problemOf(reader, checksum, type);
    if (problem !== undefined) problems.push({ checksum, type, problem });
  }
  return problems;
}

/** A tree that is missing is found with the other objects. */
function reachCommit(reader: ObjectReader, commit: Checksum, reach: Reach, problems: ObjectProblem[]): void {
  if (!reader.has(commit, 'commit')) {
    problems.push({ checksum: commit, type: 'commit', problem: 'missing' });
    return;
  }
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach, () => undefined);
}

async function problemOf(
  reader: ObjectReader,
  checksum: Checksum,
  type: ObjectType,
): Promise<ObjectProblem['problem'] | undefined> {
  if (!reader.has(checksum, type)) return 'missing';
  const found = type === 'file' ? await hashFile(reader, checksum) : sha256(reader.metadata(checksum, type));
  return found === checksum ? undefined : 'corrupt';
}

async function hashFile(reader: ObjectReader, checksum: Checksum): Promise<Checksum> {
  const file = reader.file(checksum);
  try {
    const hash = crypto.createHash('sha256').update(encodeFileHeader(file.header));
    for await (const chunk of file.chunks()) hash.update(chunk);
    return hash.digest('hex');
  } finally {
    file.close();
  }
}
