/** An export stream back into a repository: the same commit, bit for bit (spec ostree-container 2.3). */
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  parseRefspec,
  type Refspec,
  type Repository,
  type SignatureReport,
  type TransactionOptions,
  type Verifier,
  withTransaction,
} from '../../../ostree/index.ts';
import type { StreamLimits } from '../limits.ts';
import { readHead, verifyHead } from './commit-head.ts';
import { importObjects } from './import-objects.ts';
import { ObjectStream } from './object-stream.ts';
import { assertComplete, publishCommit } from './publish-commit.ts';

export interface ImportTarOptions extends TransactionOptions {
  /** What the commit must be signed with; undefined: nothing is looked at. */
  readonly verifier?: Verifier | undefined;
  /** `REF` or `REMOTE:REF`, set last of all. */
  readonly ref?: string | undefined;
  readonly limits?: Partial<StreamLimits> | undefined;
  readonly threads?: number | undefined;
}

export interface ImportedTar {
  readonly commit: Checksum;
  /** Empty when nothing had to be verified. */
  readonly signatures: readonly SignatureReport[];
  /** Objects of the stream, the commit among them, detached metadata not. */
  readonly metadata: number;
  readonly contents: number;
  /** Contents that the repository did not have, and their bytes. */
  readonly newContents: number;
  readonly newBytes: number;
}

/**
 * All or nothing: nothing is written before commit and signatures hold, and the commit is not there before all that it
 * reaches is.
 * @param tar uncompressed, read to its end
 * @throws StreamError; OstreeError SIGNATURE_*, OBJECT_*, REF_NAME, REPOSITORY_READ_ONLY; TarError; CodedError
 */
export async function importTar(
  repository: Repository,
  tar: AsyncIterable<Uint8Array>,
  options: ImportTarOptions,
): Promise<ImportedTar> {
  const refspec = options.ref === undefined ? undefined : parseRefspec(options.ref);
  const stream = new ObjectStream(tar, options.limits);
  try {
    const head = await readHead(stream);
    const signatures = options.verifier?.isRequired === true ? await verifyHead(head, options.verifier) : [];
    const { contents, metadata, newContents, newBytes } = await withTransaction(
      repository,
      options,
      async (transaction) => {
        const imported = await importObjects(transaction, stream, { ...options, layer: 'base' });
        // The mark of a commit under way is made at once: a dry run would leave it behind.
        if (options.dryRun === true) assertComplete(transaction, head, imported.contents);
        else publishCommit(transaction, head, imported.contents);
        if (refspec !== undefined) transaction.setRef({ ...placed(refspec), commit: head.checksum });
        return imported;
      },
    );
    if (refspec !== undefined && options.dryRun !== true) await afterRefsChanged(repository, options);
    const counts = { metadata: metadata.size + 1, contents: contents.size, newContents, newBytes };
    return { commit: head.checksum, signatures, ...counts };
  } finally {
    await stream.close();
  }
}

function placed({ remote, ref }: Refspec) {
  return { place: remote === undefined ? HEAD : ({ kind: 'remote', remote } as const), ref };
}
