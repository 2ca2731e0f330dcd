/** Decisions become steps, lines and the record for `info`. */
import type { Places } from '../places/index.ts';
import { isOurs } from './decision.ts';
import type { DirectoryPlan } from './directories.ts';
import { byPath, compareBytes } from './host-path.ts';
import { renamedPaths } from './image-files.ts';
import { linesOf } from './lines.ts';
import { type OnDisk, reason } from './on-disk.ts';
import type { Basis, Item } from './plan.ts';
import type { Before, CopyStep, HostPlan, InstalledFiles, RemovalStep } from './plan-types.ts';

const NOTHING: Before = { edited: [], owners: {} };

/** Of users: such files are root's business. */
export function emptyPlan(places: Places): HostPlan {
  const installed: InstalledFiles = {
    installedFiles: [],
    checksums: new Map(),
    installedDirectories: [],
    modifiedFiles: [],
    newFiles: new Map(),
    installedTemplates: [],
    renamedFiles: new Map(),
  };
  return { places, installed, steps: [], conflicts: [], lines: [], kept: [], gone: [], before: NOTHING, bytes: 0 };
}

export function assemblePlan(basis: Basis, unsorted: readonly Item[], directories: DirectoryPlan): HostPlan {
  const items = [...unsorted].sort(byPath);
  const removal = removalSteps(basis, items, directories);
  const copy = copySteps(items, directories);
  const steps = [...removal, ...copy];
  const written = items.filter(({ decision: { kind } }) => kind === 'create' || kind === 'replace');
  return {
    places: basis.request.places,
    installed: installedFiles(basis, items, directories),
    steps,
    conflicts: copy.flatMap((step) => (step.action === 'conflict' ? linesOf(step) : [])),
    lines: steps.flatMap(linesOf),
    kept: items.flatMap(({ path, decision, previous }) =>
      decision.kind === 'modified' && previous !== undefined ? [path] : [],
    ),
    gone: pathsOf(
      items.filter(({ path, previous }) => previous !== undefined && basis.survey.at(path).kind === 'absent'),
    ),
    before: beforeOf(basis, items, directories),
    bytes: written.reduce((sum, { wanted }) => sum + (wanted?.content?.length ?? wanted?.file.size ?? 0), 0),
  };
}

function beforeOf({ survey }: Basis, items: readonly Item[], { removed }: DirectoryPlan): Before {
  const recorded = items.filter(({ previous }) => previous !== undefined);
  const touched = recorded.filter(({ decision: { kind } }) => ['replace', 'delete', 'unchanged'].includes(kind));
  const owners = [...touched.map(({ path }) => path), ...removed].flatMap((path) => {
    const disk = survey.at(path);
    return 'mode' in disk ? [[path, [disk.mode, disk.uid, disk.gid]] as const] : [];
  });
  return {
    edited: pathsOf(recorded.filter((item) => wasMadeTheSame(item, survey.at(item.path)))),
    owners: Object.fromEntries(owners),
  };
}

function wasMadeTheSame({ decision, previous }: Item, disk: OnDisk): boolean {
  if (decision.kind !== 'unchanged' || previous === undefined || !('sha256' in disk)) return false;
  return !isOurs(previous, disk);
}

function pathsOf(items: readonly Item[]): string[] {
  return items.map(({ path }) => path);
}

function removalSteps({ survey, previous }: Basis, items: readonly Item[], { removed }: DirectoryPlan): RemovalStep[] {
  const half = 'removal';
  return [
    ...[...survey.leftovers].sort(compareBytes).map((path) => ({ half, action: 'remove-leftover', path }) as const),
    ...previous.unusable.map(
      (path) => ({ half, action: 'leave', path, why: 'not a path of a host', record: undefined }) as const,
    ),
    ...items.flatMap((item) => removalStepFor(item) ?? []),
    ...removed.map((path) => ({ half, action: 'remove-directory', path }) as const),
  ];
}

function removalStepFor({ path, decision, previous }: Item): RemovalStep | undefined {
  const half = 'removal';
  if (previous === undefined) return undefined;
  switch (decision.kind) {
    case 'unchanged':
    case 'replace':
      return { half, action: 'hand-over', path };
    case 'delete':
      return { half, action: 'delete', path, identity: decision.identity, record: previous };
    case 'modified':
      return { half, action: 'keep-modified', path, record: previous };
    case 'leave':
      return { half, action: 'leave', path, why: reason(decision.why), record: previous };
    default:
      return undefined;
  }
}

function copySteps(items: readonly Item[], { made }: DirectoryPlan): CopyStep[] {
  const half = 'copy';
  const directories = made.map(
    ({ path, mode, uid, gid }) => ({ half, action: 'make-directory', path, mode, uid, gid }) as const,
  );
  return [...directories, ...items.flatMap((item) => copyStepFor(item) ?? [])];
}

function copyStepFor({ path, decision, wanted }: Item): CopyStep | undefined {
  const half = 'copy';
  if (wanted === undefined) return undefined;
  const copied = { half, path, ...wanted } as const;
  switch (decision.kind) {
    case 'create':
    case 'unchanged':
      return { ...copied, action: decision.kind };
    case 'replace':
      return { ...copied, action: 'replace', identity: decision.identity };
    case 'conflict':
      return { half, action: 'conflict', path };
    case 'behind':
      return { half, action: 'conflict', path: decision.path };
    case 'leave':
      return { half, action: 'refused', path, error: decision.why };
    default:
      return undefined;
  }
}

function installedFiles({ request }: Basis, items: readonly Item[], { recorded }: DirectoryPlan): InstalledFiles {
  const records = items.flatMap(({ path, record, ...rest }) =>
    record === undefined ? [] : [{ path, record, ...rest }],
  );
  const files = records.filter(({ record }) => !record.isNew);
  const templates = files.filter(({ wanted }) => wanted?.file.isTemplate === true);
  const before = new Set(request.begun?.modifiedFiles);
  const isModified = ({ path, decision: { kind } }: { path: string; decision: { kind: string } }): boolean =>
    kind === 'modified' || (kind === 'nothing' && before.has(path));
  const modified = files.filter(isModified);
  return {
    installedFiles: files.map(({ path }) => path),
    checksums: checksums(files),
    installedDirectories: recorded,
    modifiedFiles: modified.map(({ path }) => path),
    newFiles: checksums(records.filter(({ record }) => record.isNew)),
    installedTemplates: templates.map(({ path }) => path),
    renamedFiles: renamedPaths(request.manifest, request.values),
  };
}

function checksums(
  items: readonly { path: string; record: { sha256: string | undefined } }[],
): ReadonlyMap<string, string> {
  return new Map(
    items.flatMap(({ path, record: { sha256 } }) => (sha256 === undefined ? [] : [[path, sha256] as const])),
  );
}
