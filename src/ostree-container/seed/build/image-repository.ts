/**
 * The repository that goes into an image, in the making: a private archive with refs, deltas and a summary of its own
 * that reads its objects from the real one. That one is left as it is; it may be read-only.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { returnFreeMemory } from '../../../linux/processes/memory.ts';
import {
  type Checksum,
  createRepository,
  generateDelta,
  HEAD,
  openRepository,
  PULL_DEFAULTS,
  pullLocal,
  type Repository,
  updateSummary,
  withTransaction,
} from '../../../ostree/index.ts';
import { PACKING_LEVEL } from '../../new-image/index.ts';
import { withWorkFolder } from './work-folder.ts';

export interface ImageRepositoryOptions {
  readonly commit: Checksum;
  /** Undefined: the commit was named by its checksum. */
  readonly ref: string | undefined;
  /** Commits that clients may have; undefined among them: nothing. */
  readonly deltasFrom: readonly (Checksum | undefined)[];
  /** Of the commit, in seconds: all times of the image. */
  readonly timestamp: number;
  /** What takes its time. */
  readonly onNote: (text: string) => void;
  readonly signal: AbortSignal;
}

/** @param use sees it until it returns. @throws OstreeError OBJECT_MISSING, DELTA_UNSUITABLE ... */
export async function withImageRepository<T>(
  source: Repository,
  options: ImageRepositoryOptions,
  use: (repository: Repository) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const path = join(folder, 'repo');
    createRepository(path, { mode: 'archive' });
    fs.appendFileSync(join(path, 'config'), `parent=${fs.realpathSync(source.path)}\n`);
    const repository = openRepository(path);
    try {
      await fill(source, repository, options);
      return await use(repository);
    } finally {
      repository.close();
    }
  });
}

async function fill(source: Repository, repository: Repository, options: ImageRepositoryOptions): Promise<void> {
  const { commit, ref, deltasFrom, timestamp, onNote, signal } = options;
  if (!isArchive(source)) {
    onNote('contents are packed first: the repository keeps them as they are');
    await compress(source, repository, commit, signal);
  }
  await withTransaction(repository, { signal, fsync: false }, async (transaction) => {
    if (ref !== undefined) transaction.setRef({ place: HEAD, ref, commit });
  });
  for (const from of deltasFrom) {
    // Clients that have the delta need no object by itself, and so no other layer.
    await generateDelta(repository, { from, to: commit }, { minFallbackSize: 0, signal });
  }
  if (ref === undefined && deltasFrom.length === 0) return;
  await updateSummary(repository, { signal, now: timestamp * 1000, commitMetadata: false });
}

/** With all that it takes objects from. */
function isArchive({ mode, parent }: Repository): boolean {
  return mode === 'archive' && (parent === undefined || isArchive(parent));
}

/** Other modes keep contents as they are: they are packed here, by as many threads as there are. */
async function compress(source: Repository, into: Repository, commit: Checksum, signal: AbortSignal): Promise<void> {
  // Seen through its parent it would have everything already.
  const path = `${into.path}-objects`;
  createRepository(path, { mode: 'archive' });
  fs.appendFileSync(join(path, 'config'), `[archive]\nzlib-level=${PACKING_LEVEL}\n`);
  const target = openRepository(path);
  try {
    const asked = [{ ref: undefined, commit }];
    const options = { ...PULL_DEFAULTS, asked, remote: undefined, untrusted: true, fsync: false, bindings: false };
    await pullLocal(source, target, options, { signal });
  } finally {
    target.close();
  }
  returnFreeMemory();
  for (const fanout of fs.readdirSync(join(path, 'objects'))) {
    fs.renameSync(join(path, 'objects', fanout), join(into.root, 'objects', fanout));
  }
}
