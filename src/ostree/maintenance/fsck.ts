/**
 * Read everything back that the commits of a repository need, and say what is not as it should be. Stricter than
 * libostree, which does not read what nothing leads to, detached metadata, or the files of bare-user. Spec 16.
 */
import { Reach, reachTree } from '../history/reach.ts';
import type { Pool } from '../jobs/pool.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import type { ObjectType } from '../objects/object-type.ts';
import { lockForChange } from '../repository/lock.ts';
import { type PartialReason, partialCommits, partialReason } from '../repository/partial.ts';
import type { Repository } from '../repository/repository.ts';
import { placesOf } from '../storage/object-reader.ts';
import type { FsckFinding } from './finding.ts';
import { checkDeltaIndexes, checkDetached } from './fsck-extras.ts';
import { checkBackRefs, checkRefs } from './fsck-refs.ts';
import { type Inventory, readInventory } from './inventory.ts';
import { keyOf, type Located, locate } from './locate.ts';
import { assertWritable, type LockRequest, lockToLook } from './lock.ts';
import { openReadBack, type ReadBackOptions, readBack } from './read-back.ts';
import { addTombstones, commitsToMark, removeBroken } from './repair.ts';
import { TolerantReader } from './tolerant-reader.ts';

export interface FsckOptions extends LockRequest, Pick<ReadBackOptions, 'threads' | 'onProgress'> {
  /** Do not stop at the first corrupt object. */
  readonly all?: boolean | undefined;
  /** Remove corrupt objects, and mark the commits that need them as partial. Implies `all`. */
  readonly delete?: boolean | undefined;
  /** For parents that are missing; turns `core.tombstone-commits` on. */
  readonly addTombstones?: boolean | undefined;
  readonly verifyBindings?: boolean | undefined;
  /** Each ref that a commit is bound to must point to it. Implies `verifyBindings`. */
  readonly verifyBackRefs?: boolean | undefined;
  /** Read objects that nothing leads to as well. */
  readonly unreachable?: boolean | undefined;
}

export interface FsckResult {
  /** Walked. */
  readonly commits: number;
  /** Not walked: their objects may be missing. */
  readonly partial: number;
  readonly objects: number;
  /** Of content and metadata, unpacked. */
  readonly bytes: number;
  readonly findings: readonly FsckFinding[];
  /** Commits that are partial from now on. */
  readonly marked: readonly Checksum[];
  /** Commits that should be partial, and could not be marked: no lock, or no right to write. */
  readonly unmarked: readonly Checksum[];
  /** Objects that were removed, as `CHECKSUM.TYPE`. */
  readonly removed: readonly string[];
  /** Commits that a tombstone was written for. */
  readonly tombstones: readonly Checksum[];
  /** No finding but warnings. */
  readonly isSound: boolean;
}

/** @throws OstreeError REPOSITORY_READ_ONLY when something is to be repaired; CodedError LOCK_TIMEOUT */
export async function fsck(repository: Repository, options: FsckOptions): Promise<FsckResult> {
  const isRepair = options.delete === true || options.addTombstones === true;
  if (isRepair) assertWritable(repository);
  const { held, mayMark } = isRepair
    ? {
        held: await lockForChange(repository, options.delete === true ? 'exclusive' : 'shared', options),
        mayMark: true,
      }
    : await lockToLook(repository, options);
  try {
    return await check(repository, options, mayMark);
  } finally {
    held.release();
  }
}

async function check(repository: Repository, options: FsckOptions, mayMark: boolean): Promise<FsckResult> {
  const inventories = lineOf(repository).map(readInventory);
  const reader = new TolerantReader(placesOf(repository));
  const expected = inventories.reduce((sum, { size }) => sum + size, 0);
  const pool = openReadBack(reader, expected, options.threads);
  try {
    const commits = readCommits(reader, inventories);
    const partial = readPartial(repository);
    const whole = new Map([...commits].filter(([checksum]) => !partial.has(checksum)));
    const reach = walk(reader, whole);
    const aside = [
      ...checkRefs(repository, commits, options.verifyBindings === true || options.verifyBackRefs === true),
      ...(options.verifyBackRefs === true ? checkBackRefs(repository, whole) : []),
      ...lostCommits(partial),
      ...checkDetached(reader, commitsWithDetached(inventories)),
      ...checkDeltaIndexes(repository),
    ];
    const names = [...reach.names(), ...(options.unreachable === true ? strangers(inventories, reach) : [])];
    const { objects, bytes, findings, located } = await verify(pool, names, reader, whole, options);
    const broken = findings.filter(({ severity }) => severity === 'error');
    const toMark = commitsToMark(broken, located, options.delete === true);
    const repaired = mayMark
      ? { ...removeBroken(repository, broken, toMark, options.delete === true), unmarked: [] }
      : { marked: [], removed: [], unmarked: toMark };
    const tombstones = options.addTombstones === true ? addTombstones(repository, reader, commits) : [];
    const all = [...aside, ...findings];
    const isSound = all.every(({ severity }) => severity === 'warning');
    const counts = { commits: whole.size, partial: commits.size - whole.size, objects, bytes };
    return { ...counts, findings: all, ...repaired, tombstones, isSound };
  } finally {
    await pool.close();
  }
}

async function verify(
  pool: Pool,
  names: readonly ObjectName[],
  reader: TolerantReader,
  commits: ReadonlyMap<Checksum, Commit | undefined>,
  options: FsckOptions,
) {
  const stopAtCorrupt = options.all !== true && options.delete !== true;
  const { found, objects, bytes } = await readBack(pool, names, { ...options, stopAtCorrupt });
  const wanted = new Set(found.map(({ checksum, type }) => keyOf(checksum, type)));
  const located: Located =
    wanted.size === 0 ? { users: new Map(), commits: new Map() } : locate(reader, commits, wanted);
  const findings = found.map(({ kind, checksum, type, text }): FsckFinding => {
    const users = located.users.get(keyOf(checksum, type)) ?? [];
    const severity = kind === 'attributes' ? 'warning' : 'error';
    return { kind, severity, subject: checksum, type, text, users };
  });
  return { objects, bytes, findings, located };
}

/** The repository, its parent, and so on. */
function lineOf(repository: Repository): Repository[] {
  return repository.parent === undefined ? [repository] : [repository, ...lineOf(repository.parent)];
}

function readCommits(
  reader: TolerantReader,
  inventories: readonly Inventory[],
): ReadonlyMap<Checksum, Commit | undefined> {
  const all = inventories.flatMap((inventory) => [...inventory.of('commit')]);
  return new Map(all.map((checksum) => [checksum, reader.tryCommit(checksum)]));
}

function readPartial(repository: Repository): ReadonlyMap<Checksum, PartialReason> {
  return new Map(
    lineOf(repository).flatMap((each) =>
      partialCommits(each).map((commit) => [commit, partialReason(each, commit) ?? ''] as const),
    ),
  );
}

function walk(reader: TolerantReader, commits: ReadonlyMap<Checksum, Commit | undefined>): Reach {
  const reach = new Reach();
  for (const [checksum, commit] of commits) {
    reach.commits.add(checksum);
    if (commit !== undefined) reachTree(reader, commit, reach);
  }
  return reach;
}

function lostCommits(partial: ReadonlyMap<Checksum, PartialReason>): FsckFinding[] {
  return [...partial].flatMap(([commit, reason]): FsckFinding[] => {
    if (reason !== 'f') return [];
    const text = `commit ${commit}: an earlier fsck found that objects of it are lost: pull it again`;
    return [{ kind: 'lost', severity: 'error', subject: commit, type: 'commit', text, users: [{ commit, path: '/' }] }];
  });
}

function commitsWithDetached(inventories: readonly Inventory[]): Set<Checksum> {
  return new Set(inventories.flatMap((inventory) => [...inventory.of('commitmeta')]));
}

const TYPES: readonly ObjectType[] = ['commit', 'dirtree', 'dirmeta', 'file'];

/** What is there and nothing leads to. */
function strangers(inventories: readonly Inventory[], reach: Reach): ObjectName[] {
  return TYPES.flatMap((type) => {
    const all = new Set(inventories.flatMap((inventory) => [...inventory.of(type)]));
    return [...all].filter((checksum) => !reach.has(checksum, type)).map((checksum) => ({ checksum, type }));
  });
}
