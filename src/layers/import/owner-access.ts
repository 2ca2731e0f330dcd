/** Modes that an ordinary user can work with: a tree of root's may hold files that nobody but root can read. */
import { type Attributes, S_IFDIR, S_IFLNK, S_IFMT } from '../../ostree/index.ts';

/** `u+rwx` of directories, `u+rw` of files; links have no permissions. */
export function ownerAccess(attributes: Attributes): Attributes {
  const type = attributes.mode & S_IFMT;
  const added = type === S_IFDIR ? 0o700 : type === S_IFLNK ? 0 : 0o600;
  return { ...attributes, mode: attributes.mode | added };
}
