/** Refs and commits that should name each other. Source: ostree_repo_verify_bindings and ostree-fsck(1). */
import { array, lookup, string } from '../../gvariant/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import { isRefName } from '../repository/ref-names.ts';
import { listRefs, type Ref, refspecOf } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { tryResolve } from '../repository/resolve.ts';
import type { FsckFinding } from './finding.ts';

/** @param commits what is present and can be read; undefined: present, and found to be broken elsewhere */
export function checkRefs(
  repository: Repository,
  commits: ReadonlyMap<Checksum, Commit | undefined>,
  verifyBindings: boolean,
): FsckFinding[] {
  return listRefs(repository).flatMap((ref): FsckFinding[] => {
    const commit = commits.get(ref.commit);
    if (!commits.has(ref.commit)) {
      const text = `ref ${refspecOf(ref)}: commit ${ref.commit} is missing`;
      return [{ kind: 'missing', severity: 'error', subject: ref.commit, type: 'commit', text, users: [] }];
    }
    const problem = verifyBindings && commit !== undefined ? bindingProblem(repository, commit, ref) : undefined;
    if (problem === undefined) return [];
    const text = `ref ${refspecOf(ref)}: commit ${ref.commit} ${problem}`;
    return [{ kind: 'binding', severity: 'error', subject: refspecOf(ref), type: 'ref', text, users: [] }];
  });
}

function bindingProblem(repository: Repository, commit: Commit, { place, ref }: Ref): string | undefined {
  const collection =
    place.kind === 'mirror' ? place.collection : place.kind === 'head' ? repository.config.collectionId : undefined;
  const bound = refsBoundTo(commit);
  if (bound === undefined) return collection === undefined ? undefined : 'is bound to no ref';
  if (!bound.includes(ref)) return `is bound to other refs: ${bound.join(', ') || 'none'}`;
  const boundCollection = lookup(commit.metadata, 'ostree.collection-binding', string);
  if (collection === undefined || boundCollection === collection) return undefined;
  return `is bound to ${boundCollection === undefined ? 'no collection' : `collection ${boundCollection}`}`;
}

/** Each ref that a commit is bound to must point to it: so a history has findings, as with `ostree`. */
export function checkBackRefs(
  repository: Repository,
  commits: ReadonlyMap<Checksum, Commit | undefined>,
): FsckFinding[] {
  return [...commits].flatMap(([checksum, commit]) =>
    (commit === undefined ? [] : (refsBoundTo(commit) ?? [])).flatMap((ref): FsckFinding[] => {
      const found = resolve(repository, ref);
      if (found === checksum) return [];
      const text = `commit ${checksum}: is bound to ref ${ref}, which ${found === undefined ? 'is missing' : `points to ${found}`}`;
      return [{ kind: 'binding', severity: 'error', subject: checksum, type: 'commit', text, users: [] }];
    }),
  );
}

/** Bindings come from outside: what is no name of a ref leads nowhere. */
function resolve(repository: Repository, ref: string): Checksum | undefined {
  return isRefName(ref) ? tryResolve(repository, ref) : undefined;
}

function refsBoundTo({ metadata }: Commit): readonly string[] | undefined {
  return lookup(metadata, 'ostree.ref-binding', array(string));
}
