/** What other processes do to a repository in the tests of the core: `node ostree-core-child.js WHAT REPOSITORY ...`. */
import { encodeCommit } from '../../src/ostree/objects/commit.ts';
import { encodeDirMeta } from '../../src/ostree/objects/dirmeta.ts';
import { encodeDirTree } from '../../src/ostree/objects/dirtree.ts';
import { NO_XATTRS } from '../../src/ostree/objects/xattrs.ts';
import { lockForReading } from '../../src/ostree/repository/lock.ts';
import { HEAD } from '../../src/ostree/repository/refs.ts';
import { openRepository, type Repository } from '../../src/ostree/repository/repository.ts';
import { resolveRevision } from '../../src/ostree/repository/resolve.ts';
import { objectsOf } from '../../src/ostree/storage/object-reader.ts';
import { type Transaction, withTransaction } from '../../src/ostree/storage/transaction.ts';

const { signal } = new AbortController();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const forEver = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000_000));

/** A commit of so many files on a branch, `kilobytes` each; no two of different seeds are alike. */
function writeCommit(transaction: Transaction, branch: string, seed: number, count: number, kilobytes: number): void {
  const { writer } = transaction;
  const attributes = { uid: 0, gid: 0, xattrs: NO_XATTRS };
  const files = Array.from({ length: count }, (_, i) => {
    const content = Buffer.alloc(kilobytes * 1024, `${seed}/${i}\n`);
    const { checksum } = writer.putFile({ ...attributes, mode: 0o100644, target: undefined }, content);
    if (i % 100 === 0) say(`wrote ${i}`);
    return { name: `f${String(i).padStart(6, '0')}`, checksum };
  });
  const rootTree = writer.putMetadata('dirtree', encodeDirTree({ files, directories: [] })).checksum;
  const rootMeta = writer.putMetadata('dirmeta', encodeDirMeta({ ...attributes, mode: 0o40755 })).checksum;
  const facts = { metadata: [], related: [], parent: undefined, body: '', timestamp: 1_700_000_000 };
  const bytes = encodeCommit({ ...facts, subject: `${seed}`, rootTree, rootMeta });
  const commit = writer.putMetadata('commit', bytes).checksum;
  transaction.beginPartial(commit);
  transaction.endPartial(commit);
  transaction.setRef({ place: HEAD, ref: branch, commit });
}

const TASKS: Readonly<Record<string, (repository: Repository, words: readonly string[]) => Promise<void>>> = {
  /** BRANCH SEED COUNT KILOBYTES */
  async commit(repository, [branch = '', ...numbers]) {
    const [seed = 0, count = 0, kilobytes = 0] = numbers.map(Number);
    await withTransaction(repository, { signal }, async (transaction) => {
      writeCommit(transaction, branch, seed, count, kilobytes);
    });
  },
  /** Never ends. */
  async transaction(repository) {
    await withTransaction(repository, { signal }, async () => {
      say('begun');
      await forEver();
    });
  },
  /** KIND; never ends. */
  async lock(repository, [kind]) {
    await repository.lock.acquire(kind === 'shared' ? 'shared' : 'exclusive', { signal });
    say('held');
    await forEver();
  },
  /** REVISION: the sizes of all files in its root */
  async read(repository, [revision = '']) {
    const held = await lockForReading(repository, { signal });
    const reader = objectsOf(repository);
    const { rootTree } = reader.commit(resolveRevision(repository, revision));
    for (const { name, checksum } of reader.dirTree(rootTree).files) {
      const stored = reader.file(checksum);
      say(`${name} ${stored.bytes().length}`);
      stored.close();
    }
    held.release();
  },
};

const [what = '', path = '', ...words] = process.argv.slice(2);
const repository = openRepository(path);
try {
  await TASKS[what]?.(repository, words);
  say('done');
} catch (error) {
  say(`failed ${(error as { code?: string }).code}`);
  process.exitCode = 1;
} finally {
  repository.close();
}
