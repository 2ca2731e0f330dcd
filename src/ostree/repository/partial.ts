/** `state/<commit>.commitpartial`: objects of this commit may be missing. Spec 7.3. */
import { readBounded } from '../../linux/files/read.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { replaceInRepository } from '../storage/temporary.ts';
import type { Repository } from './repository.ts';

/** `f`: fsck found that objects were lost. Empty: a pull is under way, or fetched less than everything. */
export type PartialReason = '' | 'f';

const SUFFIX = '.commitpartial';

/** Durable before the commit gets its name. */
export function markPartial(repository: Repository, commit: Checksum, reason: PartialReason): void {
  if (reason === '' && partialReason(repository, commit) !== undefined) return;
  const directory = repository.directory.makeDirectory('state', 0o775);
  try {
    replaceInRepository(repository, { directory, name: `${commit}${SUFFIX}` }, Buffer.from(reason), 0o644);
  } finally {
    directory.close();
  }
}

/** Undefined when the commit is whole. */
export function partialReason(repository: Repository, commit: Checksum): PartialReason | undefined {
  const directory = repository.directory.openDirectory('state');
  if (directory === undefined) return undefined;
  try {
    const file = readBounded(directory, `${commit}${SUFFIX}`, 16);
    if (file === undefined) return undefined;
    return Buffer.from(file.bytes).toString('latin1').startsWith('f') ? 'f' : '';
  } finally {
    directory.close();
  }
}

export function isPartial(repository: Repository, commit: Checksum): boolean {
  return partialReason(repository, commit) !== undefined;
}

export function clearPartial(repository: Repository, commit: Checksum, fsync = true): void {
  const directory = repository.directory.openDirectory('state');
  if (directory === undefined) return;
  try {
    if (directory.unlink(`${commit}${SUFFIX}`) && fsync) directory.sync();
  } finally {
    directory.close();
  }
}

export function partialCommits(repository: Repository): Checksum[] {
  const directory = repository.directory.openDirectory('state');
  if (directory === undefined) return [];
  try {
    const names = directory.list().filter((name) => name.endsWith(SUFFIX));
    return names.map((name) => name.slice(0, -SUFFIX.length)).filter(isChecksum);
  } finally {
    directory.close();
  }
}
