/** OSTree repositories, natively: objects, refs, transactions, and what is done with them. */
export { OstreeError, type OstreeErrorCode } from './error.ts';
export { ancestry, Reach, reachTree } from './history/reach.ts';
export { openPool, type Pool, threadsFor } from './jobs/pool.ts';
export { type Checksum, isChecksum } from './objects/checksum.ts';
export { type Commit, contentChecksum, decodeCommit, encodeCommit } from './objects/commit.ts';
export { type DirMeta, decodeDirMeta, encodeDirMeta } from './objects/dirmeta.ts';
export { type DirTree, decodeDirTree, encodeDirTree } from './objects/dirtree.ts';
export type { FileHeader } from './objects/file-header.ts';
export type { ObjectType } from './objects/object-type.ts';
export type { Xattr, Xattrs } from './objects/xattrs.ts';
export { parseMode, type RepositoryConfig, type RepositoryMode } from './repository/config.ts';
export { formatRefspec, isRefName, parseRefspec, type Refspec } from './repository/ref-names.ts';
export {
  HEAD,
  listRefs,
  type Ref,
  type RefPlace,
  readRef,
  refspecOf,
  removeRef,
  writeAlias,
} from './repository/refs.ts';
export { createRepository, openRepository, type Repository } from './repository/repository.ts';
export { resolveRevision, tryResolve } from './repository/resolve.ts';
export { ObjectReader, objectsOf } from './storage/object-reader.ts';
export { type FileSink, ObjectWriter, type Stored } from './storage/object-writer.ts';
export type { StoredFile } from './storage/stored-file.ts';
export { type Transaction, type TransactionOptions, withTransaction } from './storage/transaction.ts';
