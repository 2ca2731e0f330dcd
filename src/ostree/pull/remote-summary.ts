/**
 * The summary of a remote: signature first, for when it is the one of the cached pair the summary need not be fetched.
 * Verified before it is parsed, cached or believed. Spec 13.3 step 1, 8.
 */
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import { decodeDetached } from '../objects/detached.ts';
import type { Repository } from '../repository/repository.ts';
import type { SignatureReport } from '../signatures/report.ts';
import type { Verifier } from '../signatures/verifier.ts';
import { replaceInRepository } from '../storage/temporary.ts';
import { decodeSummary, SUMMARY_LIMIT, type Summary } from '../summary/summary.ts';
import type { Origin } from './origin.ts';

/** Thousands of signatures. */
const SIGNATURE_LIMIT = 2 ** 20;

export interface RemoteSummary {
  readonly summary: Summary;
  readonly bytes: Uint8Array;
  /** The file `summary.sig`. */
  readonly signature: Uint8Array | undefined;
  readonly signatures: readonly SignatureReport[];
}

export interface SummaryRequest {
  readonly origin: Origin;
  readonly repository: Repository;
  readonly remote: string;
  readonly verifier: Verifier;
  readonly signal: AbortSignal;
}

interface Pair {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | undefined;
}

/**
 * Undefined when the server has none and none is required.
 * @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID, SUMMARY_MALFORMED; HttpError
 */
export async function fetchSummary(request: SummaryRequest): Promise<RemoteSummary | undefined> {
  const { verifier } = request;
  const first = await fetchPair(request, true);
  if (first === undefined) {
    if (!verifier.isRequired) return undefined;
    throw new OstreeError('SIGNATURE_MISSING', 'the server has no summary, and a signed one is required', {
      subject: request.remote,
    });
  }
  try {
    return await open(request, first);
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code !== 'SIGNATURE_INVALID' && code !== 'SUMMARY_MALFORMED') throw error;
    // The publisher may have replaced both between our two requests, keys changed since the cached one was verified, or
    // the cache, which others write without flushing it, lost its content with the power.
    const again = await fetchPair(request, false);
    if (again === undefined || isSame(first, again)) throw error;
    return open(request, again);
  }
}

async function fetchPair({ origin, repository, remote, signal }: SummaryRequest, mayCache: boolean) {
  const signature = await origin.get('metadata', 'summary.sig', SIGNATURE_LIMIT, signal);
  const cached = mayCache && signature !== undefined ? readCache(repository, remote) : undefined;
  if (cached?.signature !== undefined && signature !== undefined && Buffer.compare(cached.signature, signature) === 0) {
    return cached;
  }
  const bytes = await origin.get('metadata', 'summary', SUMMARY_LIMIT, signal);
  return bytes === undefined ? undefined : { bytes, signature };
}

async function open(request: SummaryRequest, pair: Pair): Promise<RemoteSummary> {
  const { verifier, remote } = request;
  const what = `summary of ${remote}`;
  const claimed = pair.signature === undefined ? [] : decodeDetached(pair.signature, `summary.sig of ${remote}`);
  const signatures = verifier.isRequired ? await verifier.verify(pair.bytes, claimed, what) : [];
  const summary = decodeSummary(pair.bytes, what);
  if (pair.signature !== undefined) writeCache(request.repository, remote, pair);
  return { ...pair, summary, signatures };
}

function isSame(a: Pair, b: Pair): boolean {
  if (Buffer.compare(a.bytes, b.bytes) !== 0) return false;
  const [x, y] = [a.signature ?? new Uint8Array(), b.signature ?? new Uint8Array()];
  return Buffer.compare(x, y) === 0;
}

/** `tmp/cache/summaries`, as libostree has it. It is never cleaned by transactions. */
function inCache<T>(repository: Repository, work: (directory: Directory) => T): T {
  let at = repository.directory;
  try {
    for (const name of ['tmp', 'cache', 'summaries']) {
      const next = at.makeDirectory(name, 0o775);
      if (at !== repository.directory) at.close();
      at = next;
    }
    return work(at);
  } finally {
    if (at !== repository.directory) at.close();
  }
}

function readCache(repository: Repository, remote: string): Pair | undefined {
  return inCache(repository, (directory) => readPair(directory, remote));
}

function readPair(directory: Directory, remote: string): Pair | undefined {
  const bytes = readBounded(directory, remote, SUMMARY_LIMIT)?.bytes;
  const signature = readBounded(directory, `${remote}.sig`, SIGNATURE_LIMIT)?.bytes;
  return bytes === undefined || signature === undefined ? undefined : { bytes, signature };
}

/** The summary first: with another signature beside it, it is just not used. */
function writeCache(repository: Repository, remote: string, { bytes, signature }: Pair): void {
  if (signature === undefined) return;
  inCache(repository, (directory) => {
    const known = readPair(directory, remote);
    if (known !== undefined && isSame(known, { bytes, signature })) return;
    for (const [name, content] of [
      [remote, bytes],
      [`${remote}.sig`, signature],
    ] as const) {
      replaceInRepository(repository, { directory, name }, content, 0o644);
    }
  });
}
