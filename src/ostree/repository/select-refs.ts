/** Refs by the beginning of their names: what `refs PREFIX` lists and deletes. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { isCollectionId, isRemoteName } from './ref-names.ts';
import { HEAD, listIn, listRefs, type Ref, type RefChange, type RefPlace, refspecOf } from './refs.ts';
import type { Repository } from './repository.ts';
import { writeRefs } from './write-refs.ts';

export interface SelectedRef extends Ref {
  /** How it is listed: without the prefix that was asked for, unless it is the very ref. */
  readonly short: string;
}

/** Heads and remote ones; with a prefix those at or below `PREFIX`, `REMOTE:` or `REMOTE:PREFIX`. */
export function selectRefs(repository: Repository, prefix: string | undefined): SelectedRef[] {
  if (prefix === undefined) {
    const all = listRefs(repository).filter(({ place }) => place.kind !== 'mirror');
    return all.map((ref) => ({ ...ref, short: refspecOf(ref) }));
  }
  const { place, below } = parsePrefix(prefix);
  return listIn(repository, place).flatMap((ref) => {
    const isAll = below === '';
    if (!isAll && ref.ref !== below && !ref.ref.startsWith(`${below}/`)) return [];
    const name = isAll || ref.ref === below ? ref.ref : ref.ref.slice(below.length + 1);
    return [{ ...ref, short: refspecOf({ place, ref: name }) }];
  });
}

function parsePrefix(prefix: string): { place: RefPlace; below: string } {
  const colon = prefix.indexOf(':');
  const below = prefix.slice(colon + 1).replace(/\/+$/, '');
  if (colon === -1) return { place: HEAD, below };
  const remote = prefix.slice(0, colon);
  if (!isRemoteName(remote)) throw new OstreeError('REF_NAME', `${quote(remote)} is no name for a remote`);
  return { place: { kind: 'remote', remote }, below };
}

export interface CollectionRef extends Ref {
  readonly collection: string;
}

/** Those that belong to a collection: the mirrored ones, and the heads of a repository that has a collection id. */
export function selectCollectionRefs(repository: Repository, collection: string | undefined): CollectionRef[] {
  if (collection !== undefined && !isCollectionId(collection)) {
    throw new OstreeError('REF_NAME', `${quote(collection)} is no collection id`, { subject: collection });
  }
  return listRefs(repository).flatMap((ref): CollectionRef[] => {
    const own = ref.place.kind === 'head' ? repository.config.collectionId : undefined;
    const of = ref.place.kind === 'mirror' ? ref.place.collection : own;
    return of === undefined || (collection !== undefined && of !== collection) ? [] : [{ ...ref, collection: of }];
  });
}

/** @throws OstreeError REF_EXISTS when an alias that stays leads to one of them */
export function deleteRefs(repository: Repository, refs: readonly Ref[], dryRun: boolean): void {
  const heads = new Set(refs.filter(({ place }) => place.kind === 'head').map(({ ref }) => ref));
  for (const { ref, alias } of listIn(repository, HEAD)) {
    if (alias === undefined || heads.has(ref) || !heads.has(alias)) continue;
    throw new OstreeError('REF_EXISTS', `ref ${quote(alias)}: has the alias ${quote(ref)}`, {
      hint: 'delete the alias first',
      subject: alias,
    });
  }
  const changes = refs.map(({ place, ref }): RefChange => ({ place, ref, commit: undefined }));
  if (!dryRun) writeRefs(repository, changes, repository.config.fsync);
}
