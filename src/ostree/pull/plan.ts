/** What there is to do: asked of the server, verified, and nothing stored yet. Spec 13.3, steps 1 to 4. */
import { type Progress, silent } from '../../base/progress.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Remote } from '../remotes/remote.ts';
import { parseMode } from '../repository/config.ts';
import { KeyFile } from '../repository/key-file.ts';
import type { Repository } from '../repository/repository.ts';
import type { SignaturePolicy } from '../signatures/remote-policy.ts';
import { isWhole } from './commits.ts';
import { chooseDelta, type DeltaOffer } from './delta-choice.ts';
import type { PullOptions } from './options.ts';
import type { Origin } from './origin.ts';
import { fetchSummary, type RemoteSummary } from './remote-summary.ts';
import { findWanted, type Wanted } from './wanted.ts';

const CONFIG_LIMIT = 2 ** 20;

export interface PullPorts {
  readonly origin: Origin;
  readonly policy: SignaturePolicy;
  readonly progress?: Progress | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** What the server says of itself. */
interface RemoteFacts {
  readonly summary: RemoteSummary | undefined;
  readonly hasTombstones: boolean;
  readonly isIndexed: boolean;
}

/** What there is to do, known before anything is stored. */
export interface PullPlan {
  readonly facts: RemoteFacts;
  readonly wanted: readonly Wanted[];
  readonly offers: ReadonlyMap<Checksum, DeltaOffer>;
}

export async function planPull(
  repository: Repository,
  remote: Remote,
  options: PullOptions,
  { origin, policy, progress = silent, signal }: PullPorts,
): Promise<PullPlan> {
  const asked =
    options.asked.length > 0 || options.mirror
      ? options.asked
      : remote.branches.map((ref) => ({ ref, commit: undefined }));
  if (asked.length === 0 && !options.mirror) {
    throw new OstreeError('REF_MISSING', `remote ${remote.name}: no branches are configured, and none was named`, {
      hint: 'name the refs to pull, or use --mirror for all of them',
      subject: remote.name,
    });
  }
  const needsSummary =
    policy.summary.isRequired || asked.length === 0 || asked.some(({ commit }) => commit === undefined);
  const request = { origin, repository, remote: remote.name, verifier: policy.summary, signal };
  const summary = needsSummary ? await fetchSummary(request) : undefined;
  const facts = await remoteFacts(origin, summary, signal);
  warnIfExpired(summary, progress);
  const wanted = await findWanted({
    repository,
    remote: remote.name,
    collectionId: remote.collectionId,
    asked,
    mirror: options.mirror,
    summary: summary?.summary,
    origin,
    signal,
  });
  return { facts, wanted, offers: await chooseDeltas(repository, options, { origin, policy, signal }, facts, wanted) };
}

/** From the summary when there is one, else from the server's own `config`. @throws OstreeError REMOTE_UNSUITABLE */
async function remoteFacts(
  origin: Origin,
  summary: RemoteSummary | undefined,
  signal: AbortSignal,
): Promise<RemoteFacts> {
  if (summary !== undefined) {
    const { mode, tombstoneCommits, indexedDeltas } = summary.summary;
    if (mode !== undefined) assertArchive(mode);
    return { summary, hasTombstones: tombstoneCommits, isIndexed: indexedDeltas };
  }
  const bytes = await origin.get('metadata', 'config', CONFIG_LIMIT, signal);
  if (bytes === undefined) return { summary, hasTombstones: false, isIndexed: false };
  const file = KeyFile.parse(Buffer.from(bytes).toString('utf8'), 'config of the remote');
  assertArchive(file.string('core', 'mode') ?? 'bare');
  return {
    summary,
    hasTombstones: file.boolean('core', 'tombstone-commits') ?? false,
    isIndexed: file.boolean('core', 'indexed-deltas') ?? false,
  };
}

function assertArchive(mode: string): void {
  if (parseMode(mode) === 'archive') return;
  throw new OstreeError('REMOTE_UNSUITABLE', `the remote is a repository of mode ${mode}: only archive can be served`);
}

/** A server that is held back at an old state shows in nothing else. */
function warnIfExpired(summary: RemoteSummary | undefined, progress: Progress): void {
  const expires = summary?.summary.expires;
  if (expires === undefined || expires * 1000 > Date.now()) return;
  const text = `the summary expired at ${new Date(expires * 1000).toISOString()}: the server may offer an old state`;
  progress({ kind: 'warning', text });
}

async function chooseDeltas(
  repository: Repository,
  options: PullOptions,
  { origin, policy, signal }: Pick<PullPorts, 'origin' | 'policy' | 'signal'>,
  { summary, isIndexed }: RemoteFacts,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<Checksum, DeltaOffer>> {
  const offers = new Map<Checksum, DeltaOffer>();
  const isUseless = options.commitOnly || options.subpaths.length > 0;
  if (options.deltas === 'off' || isUseless) return offers;
  // A mirror needs every object anyway, and libostree makes no use of deltas for an archive.
  if (options.deltas === 'allowed' && (options.mirror || repository.mode === 'archive')) return offers;
  const listed = summary?.summary.deltas;
  const mustBeListed = policy.summary.isRequired;
  for (const each of wanted) {
    if (offers.has(each.checksum) || isWhole(repository, each.checksum)) continue;
    const source = { origin, repository, isIndexed, listed, mustBeListed, signal };
    const offer = await chooseDelta(source, each);
    if (offer !== undefined) offers.set(each.checksum, offer);
    else if (options.deltas === 'required') {
      throw new OstreeError('DELTA_MISSING', `commit ${each.checksum}: there is no static delta for it`, {
        subject: each.checksum,
      });
    }
  }
  return offers;
}
