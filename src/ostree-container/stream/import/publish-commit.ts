/** The end of an import: the commit that was held back appears when everything that it reaches is there. */
import { type Checksum, isWhole, Reach, reachTree, storeCommit, type Transaction } from '../../../ostree/index.ts';
import { StreamError } from '../error.ts';
import type { CommitHead } from './commit-head.ts';

/**
 * In the transaction that has its objects, or after it. No ref is set.
 * @param brought contents that the transaction has stored, which need not be looked up
 * @throws StreamError STREAM_INCOMPLETE; OstreeError OBJECT_MALFORMED
 */
export function publishCommit(transaction: Transaction, head: CommitHead, brought?: ReadonlySet<Checksum>): void {
  assertComplete(transaction, head, brought);
  const { checksum, commit, bytes, detached } = head;
  const isComplete = isWhole(transaction.repository, checksum);
  storeCommit(transaction, transaction.writer, { checksum, commit, bytes, detached, isComplete, signatures: [] });
  transaction.endPartial(checksum);
}

/** Nothing is written. @throws as `publishCommit` */
export function assertComplete(
  transaction: Transaction,
  { checksum, commit }: CommitHead,
  brought?: ReadonlySet<Checksum>,
): void {
  const { reader } = transaction.writer;
  const reach = new Reach();
  reachTree(reader, commit, reach, (tree) => {
    throw incomplete(checksum, `dirtree ${tree}`);
  });
  for (const name of reach.names()) {
    if (name.type === 'file' && brought?.has(name.checksum) === true) continue;
    if (!reader.has(name.checksum, name.type)) throw incomplete(checksum, `${name.type} ${name.checksum}`);
  }
}

function incomplete(commit: Checksum, absent: string): StreamError {
  return new StreamError('STREAM_INCOMPLETE', `incomplete commit ${commit}: ${absent} is missing`, {
    hint: 'are there more layers that belong to it?',
    subject: commit,
  });
}
