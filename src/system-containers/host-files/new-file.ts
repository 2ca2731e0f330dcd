/** `PATH.new`: the default of a new version, beside a file that the administrator has changed. */
import { basename } from 'node:path/posix';
import { type Decision, decideUnwanted, decideWanted, type Recorded, type Wanted } from './decision.ts';
import type { OnDisk } from './on-disk.ts';
import type { Basis, Item } from './plan.ts';
import { withOwner } from './wanted.ts';

const SUFFIX = '.new';
/** NAME_MAX of Linux. */
const NAME_LIMIT = 255;

/** `PATH.new` beside modified files, and those of before. */
export function newItems(basis: Basis, items: readonly Item[], offered: ReadonlySet<string>): Item[] {
  const { request, survey, wanted, previous, begun, gone } = basis;
  const wantedNew = offersFor(basis, items);
  const known = [...previous.files, ...begun.files].flatMap(([path, { isNew }]) => (isNew ? [path] : []));
  const paths = new Set([...offered, ...known]);
  return [...paths].flatMap((path): Item[] => {
    if (wanted.files.has(path)) return [];
    const recorded = previous.files.get(path);
    const other = begun.files.get(path);
    const plain = gone.has(path) ? undefined : wantedNew.get(path);
    const each = plain && { ...plain, file: withOwner(plain.file, request.before?.owners[path]) };
    const decision = decideNew(each, survey.at(path), recorded, other, request.purge ?? false);
    const isPut = decision.kind === 'create' || decision.kind === 'replace' || decision.kind === 'unchanged';
    const kept = decision.kind === 'modified' || decision.kind === 'leave' ? recorded : undefined;
    const put = each === undefined ? undefined : { sha256: each.sha256, isNew: true };
    const isForgotten = decision.kind === 'nothing' && each !== undefined;
    const record = gone.has(path) ? other : isPut || isForgotten ? put : kept;
    return [{ path, decision, wanted: each, previous: recorded, record }];
  });
}

/** An offered default that the administrator has removed is not offered again. */
function decideNew(
  wanted: Wanted | undefined,
  disk: OnDisk,
  previous: Recorded | undefined,
  begun: Recorded | undefined,
  purge: boolean,
): Decision {
  if (wanted === undefined) return previous === undefined ? { kind: 'nothing' } : decideUnwanted(disk, previous, purge);
  if (disk.kind === 'absent' && previous?.sha256 === wanted.sha256) return { kind: 'nothing' };
  return decideWanted(wanted, disk, previous ?? begun);
}

/**
 * What is to lie beside which file: its path, and the default of the version that is wanted. A version that was here
 * before gets back what it had; else nothing is offered that is the same as what the administrator has started from.
 */
export function offersFor({ request, wanted, begun }: Basis, items: readonly Item[]): ReadonlyMap<string, Wanted> {
  if (request.begun !== undefined) {
    const had = [...wanted.files].filter(([path]) => begun.files.get(`${path}${SUFFIX}`)?.isNew === true);
    return new Map(had.flatMap(([path, each]) => offer(path, each)));
  }
  return new Map(
    items.flatMap(({ path, decision, wanted: each, record }) => {
      const isDifferent = decision.kind === 'modified' && record?.sha256 !== each?.sha256;
      return each !== undefined && isDifferent ? offer(path, each) : [];
    }),
  );
}

function offer(path: string, wanted: Wanted): [string, Wanted][] {
  const beside = `${path}${SUFFIX}`;
  if (Buffer.byteLength(basename(beside)) > NAME_LIMIT) return [];
  return [[beside, { ...wanted, file: { ...wanted.file, path: beside } }]];
}
