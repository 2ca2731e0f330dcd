/** The commits that are in a repository, whether or not a ref leads to them. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { parseObjectName } from '../objects/object-type.ts';
import type { Repository } from './repository.ts';

/** In the order of their checksums; without those of a parent repository. */
export function* commitObjects(repository: Repository): Generator<Checksum> {
  for (const fanout of fs.readdirSync(`${repository.root}/objects`).sort()) {
    if (!/^[0-9a-f]{2}$/.test(fanout)) continue;
    const names = namesIn(`${repository.root}/objects/${fanout}`).sort();
    for (const name of names) {
      const found = parseObjectName(fanout, name);
      if (found?.type === 'commit') yield found.checksum;
    }
  }
}

function namesIn(path: string): string[] {
  try {
    return fs.readdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** @throws OstreeError REF_MISSING, REF_AMBIGUOUS unless there is exactly one */
export function singleCommit(repository: Repository): Checksum {
  const [only, second] = commitObjects(repository);
  if (only === undefined) throw new OstreeError('REF_MISSING', 'there is no commit in this repository');
  if (second !== undefined) throw new OstreeError('REF_AMBIGUOUS', 'there are several commits in this repository');
  return only;
}
