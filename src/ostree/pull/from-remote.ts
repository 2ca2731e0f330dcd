/** Pull as a remote is configured: its address, its keys, its branches. A `file://` address is a local pull. */
import { fileURLToPath } from 'node:url';
import type { Progress } from '../../base/progress.ts';
import { readBounded } from '../../linux/files/read.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { decodeDetached } from '../objects/detached.ts';
import type { Remote } from '../remotes/remote.ts';
import { readRemote } from '../remotes/remotes.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { remotePolicy } from '../signatures/remote-policy.ts';
import type { SignatureReport } from '../signatures/report.ts';
import type { Verifier } from '../signatures/verifier.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { SUMMARY_LIMIT } from '../summary/summary.ts';
import { CommitReceiver, isWhole } from './commits.ts';
import { httpSource } from './http-source.ts';
import { type LocalOptions, type LocalPorts, pullLocal } from './local.ts';
import type { PullOptions, PullResult } from './options.ts';
import { type PullPlan, planPull } from './plan.ts';
import { planLocal } from './plan-local.ts';
import { pull } from './pull.ts';
import { missingBytes, offerBytes } from './pull-progress.ts';
import { addressOf, openOrigin, type RemoteAccess } from './remote-client.ts';
import { fetchSummary, type RemoteSummary } from './remote-summary.ts';

export interface FromRemote extends RemoteAccess {
  readonly progress?: Progress | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
  /** For `file://`: hash what is linked, too. */
  readonly untrusted?: boolean | undefined;
}

/** @throws OstreeError REMOTE_UNKNOWN, REMOTE_UNSUITABLE, and what `pull` throws */
export async function pullFromRemote(
  repository: Repository,
  name: string,
  options: PullOptions,
  access: FromRemote,
): Promise<PullResult> {
  const remote = readRemote(repository, name);
  const path = localPath(remote, access);
  if (path !== undefined) {
    return withLocal({ repository, remote, path, options, access }, (from, local, ports) =>
      pullLocal(from, repository, local, ports),
    );
  }
  const policy = await remotePolicy(repository, name);
  const { progress, onWait, timeoutMs, signal } = access;
  const { origin, close } = await openOrigin(repository, remote, access);
  try {
    return await pull(repository, remote, options, { origin, policy, progress, onWait, timeoutMs, signal });
  } finally {
    await close();
  }
}

/** What a pull would do to a ref, or with a commit. */
export interface PlannedCommit {
  readonly ref: string | undefined;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  /** It is here already. */
  readonly isOld: boolean;
  /** What would be fetched; undefined when neither a delta nor the commit tells it. */
  readonly bytes: number | undefined;
  readonly delta: { readonly from: Checksum | undefined; readonly parts: number } | undefined;
  readonly signatures: readonly SignatureReport[];
}

/** The plan of a pull: commits are fetched and verified, nothing is stored. */
export async function planFromRemote(
  repository: Repository,
  name: string,
  options: PullOptions,
  access: FromRemote,
): Promise<readonly PlannedCommit[]> {
  const remote = readRemote(repository, name);
  const path = localPath(remote, access);
  if (path !== undefined) {
    return withLocal({ repository, remote, path, options, access }, async (from, local, ports) => {
      return (await planLocal(from, repository, local, ports)).commits;
    });
  }
  const policy = await remotePolicy(repository, name);
  const { progress, signal } = access;
  const { origin, close } = await openOrigin(repository, remote, access);
  try {
    const ports = { origin, policy, progress, signal };
    const plan = await planPull(repository, remote, options, ports);
    const source = httpSource({ origin, offers: plan.offers, hasTombstones: false, signal });
    const bindings = options.bindings ? { collectionId: remote.collectionId } : undefined;
    const rules = { verifier: policy.commits, bindings, depth: 0, notBefore: options.notBefore };
    return await plannedCommits(repository, options, plan, new CommitReceiver(repository, source, rules));
  } finally {
    await close();
  }
}

async function plannedCommits(
  repository: Repository,
  options: PullOptions,
  { wanted, offers }: PullPlan,
  receiver: CommitReceiver,
): Promise<readonly PlannedCommit[]> {
  const planned: PlannedCommit[] = [];
  const reader = objectsOf(repository);
  for (const { ref, checksum, size, previous } of wanted) {
    const notBefore = options.timestampCheck ? previous : undefined;
    const received = await receiver.receive({ checksum, ref, size, notBefore });
    const offer = offers.get(checksum);
    const isOld = isWhole(repository, checksum);
    const bytes = offer === undefined ? missingBytes(received.commit, reader) : offerBytes(offer);
    planned.push({
      ref,
      from: previous,
      to: checksum,
      isOld,
      bytes: isOld ? 0 : bytes,
      delta: offer && { from: offer.superblock.from, parts: offer.superblock.parts.length },
      signatures: received.signatures,
    });
  }
  return planned;
}

/** The summary of a remote, verified as its configuration asks. @throws OstreeError SUMMARY_MALFORMED when it has none */
export async function remoteSummary(repository: Repository, name: string, access: FromRemote): Promise<RemoteSummary> {
  const remote = readRemote(repository, name);
  const policy = await remotePolicy(repository, name);
  const { origin, close } = await openOrigin(repository, remote, access);
  try {
    const { signal } = access;
    const found = await fetchSummary({ origin, repository, remote: name, verifier: policy.summary, signal });
    if (found !== undefined) return found;
    throw new OstreeError('OBJECT_MISSING', `remote ${name}: the server has no summary`, { subject: name });
  } finally {
    await close();
  }
}

function localPath(remote: Remote, { url }: FromRemote): string | undefined {
  const address = url ?? addressOf(remote);
  return address.startsWith('file://') ? fileURLToPath(address) : undefined;
}

interface LocalRemote {
  readonly repository: Repository;
  readonly remote: Remote;
  readonly path: string;
  readonly options: PullOptions;
  readonly access: FromRemote;
}

/** The repository behind a `file://` address, for a pull or its plan. */
async function withLocal<T>(
  { repository, remote, path, options, access }: LocalRemote,
  work: (from: Repository, options: LocalOptions, ports: LocalPorts) => Promise<T>,
): Promise<T> {
  if (options.subpaths.length > 0 || options.deltas === 'required') {
    const option = options.subpaths.length > 0 ? '--subpath' : '--require-static-deltas';
    throw new OstreeError('REMOTE_UNSUITABLE', `${option} needs a remote with an http address`, {
      subject: remote.name,
    });
  }
  const policy = await remotePolicy(repository, remote.name);
  const { progress, onWait, timeoutMs, signal, untrusted = false } = access;
  const from = openRepository(path);
  try {
    const summarySignatures = await verifySummary(from, policy.summary);
    const asked =
      options.asked.length > 0 || options.mirror
        ? options.asked
        : remote.branches.map((ref) => ({ ref, commit: undefined }));
    const local = {
      ...options,
      asked,
      untrusted,
      remote: options.mirror ? undefined : remote.name,
      collectionId: remote.collectionId,
    };
    const ports = { policy, progress, onWait, timeoutMs, signal, summarySignatures };
    return await work(from, local, ports);
  } finally {
    from.close();
  }
}

/** Of a repository on this machine. @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
export async function verifySummary(from: Repository, verifier: Verifier): Promise<readonly SignatureReport[]> {
  if (!verifier.isRequired) return [];
  const what = `${from.path}/summary`;
  const bytes = readBounded(from.directory, 'summary', SUMMARY_LIMIT)?.bytes;
  if (bytes === undefined) throw new OstreeError('SIGNATURE_MISSING', `${what}: there is none, and it must be signed`);
  const signature = readBounded(from.directory, 'summary.sig', SUMMARY_LIMIT)?.bytes ?? new Uint8Array();
  return verifier.verify(bytes, decodeDetached(signature, `${what}.sig`), what);
}
