/** The repository for one alone: names and objects go, and nobody may be about to use them. */
import type { Repository, TransactionOptions } from '../../ostree/index.ts';

/** A dry run changes nothing, and is for those, too, who may not write. */
export async function lockAlone(repository: Repository, options: TransactionOptions) {
  if (!repository.config.locking || options.dryRun === true) return undefined;
  return repository.lock.acquire('exclusive', options);
}
