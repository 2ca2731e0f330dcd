/** Symbolic links among the directories of a path, as whoever is inside the image would walk it. */
import { printable } from '../base/text.ts';
import type { MutableTree, ObjectReader } from '../ostree/index.ts';
import { LayerError } from './error.ts';
import type { Path, PathRule } from './path-rule.ts';

/** What Linux follows in one path. */
const MOST_LINKS = 40;
/** Components on the way: links may name long paths, again and again. */
const MOST_PARTS = 8192;

/**
 * The path without links. `..` of a link ends at the root, as it does for a process that is confined there.
 * @param targetOf the text of the symbolic link at a path whose directories are not links; undefined for all else
 * @throws LayerError LAYER_LINK
 */
export function followLinks(path: Path, targetOf: (path: Path) => string | undefined): Path {
  let done: string[] = [];
  const left = [...path].reverse();
  for (let links = 0; left.length > 0; ) {
    const name = left.pop() ?? '';
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    done.push(name);
    const target = targetOf(done);
    if (target === undefined) continue;
    if (++links > MOST_LINKS || done.length + left.length + target.length > MOST_PARTS) throw tooMany(path);
    if (target.startsWith('/')) done = [];
    else done.pop();
    left.push(...target.split('/').reverse());
  }
  return done;
}

/** The same in a tree, in whose places the rule puts the paths of the image. */
export function followInTree(path: Path, tree: MutableTree, reader: ObjectReader, rule: PathRule): Path {
  return followLinks(path, (at) => {
    const mapped = rule.map(at);
    const entry = mapped && tree.lookup(mapped);
    return typeof entry === 'string' ? linkTarget(reader, entry) : undefined;
  });
}

/** What a content object says if it is a symbolic link. */
export function linkTarget(reader: ObjectReader, checksum: string): string | undefined {
  const stored = reader.file(checksum);
  stored.close();
  return stored.header.target;
}

function tooMany(path: Path): LayerError {
  const shown = `/${path.join('/')}`;
  return new LayerError('LAYER_LINK', `${printable(shown)}: too many symbolic links`, { subject: shown });
}
