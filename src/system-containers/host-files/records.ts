/** What `info` files say was put on the host, by path. */

import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Recorded } from './decision.ts';
import { hostPath } from './host-path.ts';
import type { HostRecord } from './plan-types.ts';

export interface Records {
  readonly files: ReadonlyMap<string, Recorded>;
  readonly directories: ReadonlySet<string>;
  /** Not paths of a host at all; only a file that somebody has edited has such. */
  readonly unusable: readonly string[];
}

export function recordsOf(record: HostRecord | undefined): Records {
  const files = new Map<string, Recorded>();
  const directories = new Set<string>();
  const unusable: string[] = [];
  const add = (path: string, use: (normal: string) => void): void => {
    const normal = normalOrUndefined(path);
    if (normal === undefined) unusable.push(printable(path));
    else use(normal);
  };
  for (const path of record?.installedFiles ?? []) {
    add(path, (normal) => files.set(normal, { sha256: record?.checksums.get(path), isNew: false }));
  }
  for (const [path, sha256] of record?.newFiles ?? [])
    add(path, (normal) => files.set(normal, { sha256, isNew: true }));
  for (const path of record?.installedDirectories ?? []) add(path, (normal) => directories.add(normal));
  return { files, directories, unusable };
}

function normalOrUndefined(path: string): string | undefined {
  try {
    return hostPath(path, 'info');
  } catch (error) {
    if (codeOf(error) !== 'HOST_PATH_REFUSED') throw error;
    return undefined;
  }
}
