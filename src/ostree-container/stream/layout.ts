/** Where the export stream of format v1 keeps its repository (spec ostree-container 2.1). */
import type { Checksum } from '../../ostree/index.ts';

export const REPO = 'sysroot/ostree/repo';

export type StreamObjectType =
  | 'commit'
  | 'commitmeta'
  | 'dirtree'
  | 'dirmeta'
  | 'file'
  | 'file-xattrs'
  | 'file-xattrs-link';

/** The path of an object in the stream. */
export function objectPath(checksum: Checksum, type: StreamObjectType): string {
  return `${REPO}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${type}`;
}

/** In the order of the stream; all of them are root's, 0755. */
export const SKELETON: readonly string[] = [
  'sysroot',
  'sysroot/ostree',
  REPO,
  `${REPO}/objects`,
  ...Array.from({ length: 256 }, (_, i) => `${REPO}/objects/${i.toString(16).padStart(2, '0')}`),
  ...['extensions', 'refs', 'refs/heads', 'refs/mirrors', 'refs/remotes', 'state', 'tmp', 'tmp/cache'].map(
    (name) => `${REPO}/${name}`,
  ),
];

export const CONFIG_PATH = `${REPO}/config`;
export const CONFIG = '[core]\nrepo_version=1\nmode=bare-split-xattrs\n';
