/** Walks that go on where something is broken; what it is, the reading back of every object tells. */
import { codeOf } from '../../base/error.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import { type DirTree, decodeDirTree } from '../objects/dirtree.ts';
import type { MetadataType } from '../objects/object-type.ts';
import { ObjectReader } from '../storage/object-reader.ts';
import { corrupt } from '../storage/object-writer.ts';

const BROKEN = new Set([
  'OBJECT_MISSING',
  'OBJECT_CORRUPT',
  'OBJECT_MALFORMED',
  'TOO_LARGE',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENOTDIR',
]);
const EMPTY: DirTree = { files: [], directories: [] };

export class TolerantReader extends ObjectReader {
  /** An empty one for what is missing, cannot be read, or is not what its name says: it would lead astray. */
  override dirTree(checksum: Checksum): DirTree {
    return unlessBroken(() => decodeDirTree(this.#genuine(checksum, 'dirtree'), `dirtree ${checksum}`)) ?? EMPTY;
  }

  /** Undefined for such ones. */
  tryCommit(checksum: Checksum): Commit | undefined {
    return unlessBroken(() => decodeCommit(this.#genuine(checksum, 'commit'), `commit ${checksum}`));
  }

  #genuine(checksum: Checksum, type: MetadataType): Uint8Array {
    const bytes = this.metadata(checksum, type);
    const found = sha256(bytes);
    if (found !== checksum) throw corrupt(type, checksum, found);
    return bytes;
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
