/** A stored layer as an archive again, at the paths of a container. */
import { writeLayerTar } from '../../../layers/index.ts';
import type { Checksum, Repository } from '../../../ostree/index.ts';
import type { Sink } from '../../stream/index.ts';

/** @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT; TarError */
export function writeDerivedTar(
  repository: Repository,
  commit: Checksum,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  return writeLayerTar(repository, commit, sink, { paths: inContainer, signal });
}

function inContainer(path: string): string {
  return path === 'usr/etc' || path.startsWith('usr/etc/') ? path.slice('usr/'.length) : path;
}
