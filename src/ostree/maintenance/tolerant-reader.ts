/** Walks that go on where something is broken; what it is, the reading back of every object tells. */
import { codeOf } from '../../base/error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import type { DirTree } from '../objects/dirtree.ts';
import { ObjectReader } from '../storage/object-reader.ts';

const BROKEN = new Set(['OBJECT_MISSING', 'OBJECT_MALFORMED', 'TOO_LARGE', 'EIO', 'EISDIR', 'ELOOP', 'ENOTDIR']);
const EMPTY: DirTree = { files: [], directories: [] };

export class TolerantReader extends ObjectReader {
  /** An empty one for what is missing or cannot be read. */
  override dirTree(checksum: Checksum): DirTree {
    return unlessBroken(() => super.dirTree(checksum)) ?? EMPTY;
  }

  /** Undefined for what is missing or cannot be read. */
  tryCommit(checksum: Checksum): Commit | undefined {
    return unlessBroken(() => decodeCommit(this.metadata(checksum, 'commit'), `commit ${checksum}`));
  }
}

function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (BROKEN.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
