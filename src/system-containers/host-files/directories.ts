/** Directories of the host: made on demand, remembered, and removed again when nothing is left in them. */
import { byPath, compareBytes, prefixesOf } from './host-path.ts';
import { type HostFile, IMPLIED } from './image-files.ts';
import type { Basis } from './plan.ts';
import { withOwner } from './wanted.ts';

export interface DirectoryPlan {
  /** Each before what is in it. */
  readonly made: readonly HostFile[];
  /** The innermost first. */
  readonly removed: readonly string[];
  /** For the new record, sorted. */
  readonly recorded: readonly string[];
}

/**
 * @param deleted files and links that will be gone before a directory is made or removed
 * @param created files that need theirs
 */
export function planDirectories(basis: Basis, deleted: ReadonlySet<string>, created: readonly string[]): DirectoryPlan {
  const { wanted, previous, begun, survey } = basis;
  const known = new Set([...previous.directories, ...begun.directories]);
  for (const path of known) survey.at(path); // its own leftover may lie beside it
  const removed = removedDirectories(basis, deleted);
  const kept = [...previous.directories].filter(
    (path) => !removed.includes(path) && survey.at(path).kind === 'directory',
  );
  const all = [...wanted.directories.values(), ...broughtBack(basis)].sort(byPath);
  const needed = new Set(created.flatMap(prefixesOf));
  // A version that was here before gets back what it had, and no more.
  const isUndo = basis.request.begun !== undefined;
  const isDue = (path: string): boolean => {
    if (!isUndo) return true;
    // What belongs into one that nobody can get to safely says so.
    return (begun.directories.has(path) || needed.has(path)) && survey.at(path).kind !== 'refused';
  };
  const made = all
    .filter(({ path }) => isDue(path) && isMissing(basis, deleted, path))
    .map((each) => withOwner(each, basis.request.before?.owners[each.path]));
  const ours = new Set(made.map(({ path }) => path));
  const recorded = all.filter(({ path }) => ours.has(path) || known.has(path)).map(({ path }) => path);
  return { made, removed, recorded: [...new Set([...recorded, ...kept])].sort(compareBytes) };
}

/** In an undo: directories of earlier versions, which no image at hand has any more. */
function broughtBack({ request, wanted, begun }: Basis): HostFile[] {
  return [...begun.directories].flatMap((path) => {
    const owner = wanted.directories.has(path) ? undefined : request.before?.owners[path];
    if (owner === undefined) return [];
    const [mode, uid, gid] = owner;
    return [{ ...IMPLIED, path, mode, uid, gid }];
  });
}

function removedDirectories({ wanted, previous, begun, survey }: Basis, deleted: ReadonlySet<string>): string[] {
  const innermostFirst = [...previous.directories]
    .filter((path) => !wanted.directories.has(path) && !begun.directories.has(path))
    .filter((path) => survey.at(path).kind === 'directory')
    .sort((a, b) => compareBytes(b, a)); // what is in a directory has a longer path that begins with it
  const removed = new Set<string>();
  for (const path of innermostFirst) {
    const goes = (name: string): boolean => {
      const each = `${path}/${name}`;
      return deleted.has(each) || removed.has(each) || survey.leftovers.has(each);
    };
    if (survey.list(path)?.every(goes) === true) removed.add(path);
  }
  return [...removed];
}

/** Where something else is in the way nothing is made: what belongs into it meets the same and says so. */
function isMissing({ survey }: Basis, deleted: ReadonlySet<string>, path: string): boolean {
  if ([...prefixesOf(path), path].some((each) => deleted.has(each))) return true;
  const disk = survey.at(path);
  if (disk.kind === 'refused') throw disk.error;
  return disk.kind === 'absent' || (disk.kind === 'blocked' && deleted.has(disk.path));
}
