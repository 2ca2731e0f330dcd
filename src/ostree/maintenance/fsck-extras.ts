/** What lies beside objects: detached metadata, and indexes of static deltas. */
import { codeOf, explain } from '../../base/error.ts';
import { parseDeltaName } from '../delta/names.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { listIndexes, readIndex, superblockDigest } from '../summary/delta-index.ts';
import type { FsckFinding } from './finding.ts';

export function checkDetached(reader: ObjectReader, commits: Iterable<Checksum>): FsckFinding[] {
  return [...commits].flatMap((commit): FsckFinding[] => {
    const text = problemOf(() => reader.detached(commit), ['OBJECT_MALFORMED', 'TOO_LARGE', 'EISDIR', 'ELOOP', 'EIO']);
    if (text === undefined) return [];
    const users = [{ commit, path: '/' }];
    return [{ kind: 'detached', severity: 'error', subject: commit, type: 'commitmeta', text, users }];
  });
}

/** Only warnings: clients fall back to single objects, and the next summary writes the indexes anew. */
export function checkDeltaIndexes(repository: Repository): FsckFinding[] {
  return listIndexes(repository).flatMap((path): FsckFinding[] => {
    let problems: readonly string[] = [];
    const unreadable = problemOf(() => {
      problems = [...(readIndex(repository, path) ?? [])].flatMap(([name, digest]) => {
        const found = superblockDigest(repository, parseDeltaName(name));
        if (found === digest) return [];
        return [`${path}: delta ${name}: expected a superblock with digest ${digest}, found ${found ?? 'none'}`];
      });
    }, ['DELTA_MALFORMED', 'TOO_LARGE', 'NOT_A_REGULAR_FILE']);
    return [...(unreadable === undefined ? [] : [unreadable]), ...problems].map((text) => ({
      kind: 'delta',
      severity: 'warning',
      subject: path,
      type: 'delta-index',
      text,
      users: [],
    }));
  });
}

/** The text of an error with one of these codes. */
function problemOf(work: () => unknown, codes: readonly string[]): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return explain(error);
    throw error;
  }
}
