/** The plan of a change of host files: everything is decided before anything is touched. */

import { printable } from '../../base/text.ts';
import { judgeOwner } from '../../linux/files/owner.ts';
import { ContainerError } from '../error.ts';
import { assemblePlan, emptyPlan } from './assemble.ts';
import { type Decision, decideUnwanted, decideWanted, type Recorded, type Wanted } from './decision.ts';
import { type DirectoryPlan, planDirectories } from './directories.ts';
import { prefixesOf } from './host-path.ts';
import { newItems, offersFor } from './new-file.ts';
import { type OnDisk, Survey } from './on-disk.ts';
import { HostRoot } from './open-parents.ts';
import type { HostFilesRequest, HostPlan } from './plan-types.ts';
import { HostPrefixes } from './prefixes.ts';
import { type Records, recordsOf } from './records.ts';
import { type WantedFiles, wantedFiles, withOwner } from './wanted.ts';

/** All that was found and decided about one path. */
export interface Item {
  readonly path: string;
  readonly decision: Decision;
  readonly wanted: Wanted | undefined;
  /** By the version that is left. */
  readonly previous: Recorded | undefined;
  /** What the new record says of it: nothing, when it is not ours. */
  readonly record: Recorded | undefined;
}

/** What a plan is made from. */
export interface Basis {
  readonly request: HostFilesRequest;
  readonly survey: Survey;
  readonly wanted: WantedFiles;
  readonly previous: Records;
  readonly begun: Records;
  /** To stay away, in an undo. */
  readonly gone: ReadonlySet<string>;
  /** To stay as they are, in an undo. */
  readonly edited: ReadonlySet<string>;
}

/**
 * Read the disk and decide; nothing is changed. Users have no host files: their plan is empty.
 *
 * An undo is the plan in the other direction: `previous` is the `info` of the version that failed, `begun` the one that
 * is returned to, `gone` and `before` of the plan that is undone. A redo has the new `info` as `begun`. Both do what is left to do.
 * @throws ContainerError HOST_PATH_REFUSED, BAD_IMAGE_MANIFEST, MISSING_VARIABLES, BAD_TEMPLATE, BAD_STORED_IMAGE
 */
export async function planHostFiles(request: HostFilesRequest): Promise<HostPlan> {
  const { places } = request;
  if (places.scope === 'user') return emptyPlan(places);
  const wanted = await wantedFiles(request);
  const begun = recordsOf(request.begun);
  const root = new HostRoot(places);
  try {
    const basis: Basis = {
      request,
      survey: new Survey(root),
      wanted: request.begun === undefined ? wanted : onlyRecorded(wanted, begun),
      previous: recordsOf(request.previous),
      begun,
      gone: new Set(request.gone),
      edited: new Set(request.before?.edited),
    };
    const { items, directories } = decideAll(basis);
    if (request.begun === undefined) {
      // What was there before may come back, whatever settings say by now.
      assertPrefixes(new HostPrefixes(root), items, directories);
      assertSafeDirectories(items, directories);
    }
    return assemblePlan(basis, items, directories);
  } finally {
    root.close();
  }
}

/** What somebody else had in the way of a version when it came to the host for the first time never became ours. */
function onlyRecorded({ files, directories }: WantedFiles, begun: Records): WantedFiles {
  const above = new Set([...begun.files.keys()].flatMap(prefixesOf));
  return {
    files: new Map([...files].filter(([path]) => begun.files.has(path))),
    directories: new Map([...directories].filter(([path]) => begun.directories.has(path) || above.has(path))),
  };
}

function decideAll(basis: Basis): { items: readonly Item[]; directories: DirectoryPlan } {
  const beside = [...offersFor(basis, wantedItems(basis, new Set())).keys()];
  const offered = new Set(beside.filter((path) => !basis.wanted.files.has(path)));
  const unwanted = unwantedItems(basis, offered);
  const deleted = new Set(unwanted.filter(({ decision }) => decision.kind === 'delete').map(({ path }) => path));
  const wanted = wantedItems(basis, deleted);
  const news = newItems(basis, wanted, offered);
  for (const { path, decision } of news) if (decision.kind === 'delete') deleted.add(path);
  const created = [...wanted, ...news].filter(({ decision: { kind } }) => kind === 'create').map(({ path }) => path);
  const directories = planDirectories(basis, deleted, created);
  const items = [...unwanted, ...wanted.map((item) => settle(item, directories)), ...news];
  return { items, directories };
}

/** Recorded and not wanted any more. What only `begun` knows was kept by it, and is kept again. */
function unwantedItems(
  { request, survey, wanted, previous, begun, gone, edited }: Basis,
  offered: ReadonlySet<string>,
): Item[] {
  const purge = request.purge ?? false;
  const isElsewhere = (path: string, { isNew }: Recorded): boolean =>
    isNew || offered.has(path) || (wanted.files.has(path) && !gone.has(path));
  const items: Item[] = [];
  for (const [path, recorded] of previous.files) {
    if (isElsewhere(path, recorded)) continue;
    if (edited.has(path)) items.push(editedItem(path, survey.at(path), recorded, begun.files.get(path) ?? recorded));
    if (edited.has(path)) continue;
    const disk = isCovered(path, wanted, survey) ? { kind: 'absent' as const } : survey.at(path);
    const isDue = wanted.directories.has(path) || begun.directories.has(path);
    const isDirectory = disk.kind === 'directory' && isDue; // as it has to be
    const decision = isDirectory ? ({ kind: 'nothing' } as const) : decideUnwanted(disk, recorded, purge);
    const stays = decision.kind === 'modified' || decision.kind === 'leave';
    const record = gone.has(path) ? begun.files.get(path) : stays ? recorded : undefined;
    items.push({ path, decision, wanted: undefined, previous: recorded, record });
  }
  for (const [path, recorded] of begun.files) {
    if (previous.files.has(path) || isElsewhere(path, recorded)) continue;
    items.push({ path, decision: { kind: 'nothing' }, wanted: undefined, previous: undefined, record: recorded });
  }
  return items;
}

/** Is a file or link of the new version already where a directory on the way was? Then it must not be walked through. */
function isCovered(path: string, wanted: WantedFiles, survey: Survey): boolean {
  return prefixesOf(path).some((each) => wanted.files.has(each) && survey.at(each).kind !== 'directory');
}

function wantedItems(basis: Basis, deleted: ReadonlySet<string>): Item[] {
  const { survey, wanted, previous, begun, gone, edited } = basis;
  return [...wanted.files].flatMap(([path, plain]): Item[] => {
    if (gone.has(path)) return [];
    const each = { ...plain, file: withOwner(plain.file, basis.request.before?.owners[path]) };
    const recorded = previous.files.get(path);
    const known = begun.files.get(path) ?? recorded;
    if (edited.has(path) && known !== undefined) return [editedItem(path, survey.at(path), recorded, known)];
    const disk: OnDisk = prefixesOf(path).some((above) => deleted.has(above)) ? { kind: 'absent' } : survey.at(path);
    const isRefused = disk.kind === 'refused' && basis.request.begun !== undefined; // the rest can be brought back
    const found: Decision = isRefused
      ? { kind: 'leave', why: disk.error }
      : decideWanted(each, disk, recorded ?? begun.files.get(path));
    const decision: Decision = found.kind === 'behind' && deleted.has(found.path) ? { kind: 'create' } : found;
    return [itemOf(path, decision, each, recorded, recorded ?? begun.files.get(path))];
  });
}

/** In an undo: it was the administrator's, and was not touched. */
function editedItem(path: string, disk: OnDisk, previous: Recorded | undefined, record: Recorded): Item {
  const kind = disk.kind === 'absent' ? 'nothing' : 'modified';
  return { path, decision: { kind }, wanted: undefined, previous, record };
}

function itemOf(
  path: string,
  decision: Decision,
  wanted: Wanted,
  previous: Recorded | undefined,
  known: Recorded | undefined,
): Item {
  const isNew = false;
  const ours = { sha256: wanted.sha256, isNew };
  const isPut = decision.kind === 'create' || decision.kind === 'replace' || decision.kind === 'unchanged';
  const kept = known === undefined ? undefined : { sha256: known.sha256, isNew };
  const stays = decision.kind === 'modified' || decision.kind === 'leave';
  return { path, decision, wanted, previous, record: isPut ? ours : stays ? kept : undefined };
}

/** A directory where a file is wanted: it goes when it was ours and nothing is left in it. */
function settle(item: Item, directories: DirectoryPlan): Item {
  const { path, decision, wanted, previous } = item;
  if (wanted === undefined || decision.kind !== 'directory') return item;
  if (directories.removed.includes(path)) return itemOf(path, { kind: 'create' }, wanted, previous, previous);
  const kind = previous === undefined ? 'conflict' : 'modified';
  return itemOf(path, { kind }, wanted, previous, previous);
}

function assertPrefixes(prefixes: HostPrefixes, items: readonly Item[], directories: DirectoryPlan): void {
  for (const { path, decision } of items) {
    if (decision.kind === 'create' || decision.kind === 'replace') prefixes.assertAllowed(path, 'file');
  }
  for (const { path } of directories.made) prefixes.assertAllowed(path, 'directory');
}

/** What would be refused as soon as it is there: a file of an image in a directory that it gives to somebody else. */
function assertSafeDirectories(items: readonly Item[], { made }: DirectoryPlan): void {
  const unsafe = made.flatMap((directory) => {
    const verdict = judgeOwner(directory, directory);
    return verdict === undefined ? [] : [{ path: directory.path, problem: verdict.problem }];
  });
  if (unsafe.length === 0) return;
  const created = [...made, ...items.filter(({ decision: { kind } }) => kind === 'create')];
  for (const { path, problem } of unsafe) {
    const inside = created.find((each) => each.path.startsWith(`${path}/`));
    if (inside === undefined) continue;
    const text = `${printable(inside.path)}: not written by root: in the image ${printable(path)} is ${problem}`;
    throw new ContainerError('HOST_PATH_REFUSED', text, { subject: inside.path });
  }
}
