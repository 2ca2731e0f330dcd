import { existsSync } from 'node:fs';
import type { RuntimeConfig } from '../../runtime/index.ts';
import { formatTmpfilesField } from '../../systemd/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { type Places, seenFromHost } from '../places/places.ts';
import { absoluteSource, isBelow, ownDirectories } from './directories.ts';

export interface DefaultTmpfilesRequest {
  readonly config: RuntimeConfig;
  readonly places: Places;
  readonly values: ReadonlyMap<string, string>;
  /** Of `--set`, in all calls. */
  readonly setValues?: ReadonlyMap<string, string> | undefined;
  /** Host paths that the image's host files will have, directories included. */
  readonly provided?: readonly string[] | undefined;
  /** Of the image: what is mounted on a file is no directory. */
  readonly tree?: ImageTree | undefined;
}

/** Sockets are made by who listens on them. */
const SOCKET = /(\.sock|\.socket|_socket)$/;

/**
 * A fragment for an image that brings none: a directory for every mount source below the run, state or configuration
 * directory that does not exist. Undefined when none is missing.
 */
export function defaultTmpfiles(request: DefaultTmpfilesRequest): Uint8Array | undefined {
  const { config, places, values, provided = [] } = request;
  const directories = ownDirectories(places, request.setValues);
  const deployment = values.get('DESTDIR') ?? seenFromHost(places, places.checkouts);
  const missing = config.bindSources
    .filter(({ destination }) => !isFile(request.tree, destination))
    .map(({ path }) => absoluteSource(path, deployment))
    .filter((path) => isBelow(path, directories) && !path.startsWith(`${deployment}/`) && !SOCKET.test(path))
    .filter((path) => !provided.includes(path) && !existsSync(places.root + path));
  const owner = `${values.get('HOST_UID') ?? places.uid} ${values.get('HOST_GID') ?? places.gid}`;
  const lines = [...new Set(missing)].sort().map((path) => `d ${formatTmpfilesField(path)} 0700 ${owner} - -\n`);
  return lines.length === 0 ? undefined : Buffer.from(lines.join(''));
}

function isFile(tree: ImageTree | undefined, destination: string): boolean {
  return tree?.look(destination.replace(/^\/+/, ''))?.type === 'file';
}
