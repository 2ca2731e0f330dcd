/** Ids of a container to those of the host. Source: OCI runtime specification, config-linux.md; user_namespaces(7). */
import type { ExactObject } from './exact-json.ts';
import type { IdRange } from './subordinate-ids.ts';

/** As many lines as the kernel takes. */
const MAPPING_LIMIT = 340;

/** Root of the container is who runs it; the ranges follow from 1 on. */
export function mappings(id: number, ranges: readonly IdRange[]): readonly ExactObject[] {
  const found = [{ containerID: 0, hostID: id, size: 1 }];
  let next = 1;
  for (const { first, count } of ranges.slice(0, MAPPING_LIMIT - 1)) {
    found.push({ containerID: next, hostID: first, size: count });
    next += count;
  }
  return found;
}

export function mapsOneId(found: readonly ExactObject[]): boolean {
  return found.length === 1 && found[0]?.['size'] === 1;
}

export function isMapped(id: number, found: readonly ExactObject[]): boolean {
  return found.some(({ containerID, size }) => {
    return typeof containerID === 'number' && typeof size === 'number' && id >= containerID && id < containerID + size;
  });
}
