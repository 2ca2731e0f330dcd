/**
 * What versions of Docker before 1.10 read: a folder for each layer, named by an id, and `repositories`. Ids and
 * contents are those that skopeo and podman write.
 */
import { createHash } from 'node:crypto';
import type { Digest } from '../digest.ts';
import { digestOf } from '../digest.ts';
import { field } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import type { NamedReference } from '../reference.ts';
import { repositoryName } from '../reference.ts';

export const LEGACY_VERSION: Uint8Array = Buffer.from('1.0');

export interface LegacyLayer {
  /** Name of the folder, 64 hex digits. */
  readonly id: string;
  readonly layer: Digest;
  /** The file `json`. */
  readonly json: Uint8Array;
}

/** Parts of the configuration that the highest layer carries. */
const FROM_CONFIG = ['architecture', 'config', 'container', 'container_config', 'created', 'docker_version', 'os'];

/** The lowest first. @param diffIds the digests of the tars */
export function legacyLayers(diffIds: readonly Digest[], config: JsonObject): readonly LegacyLayer[] {
  const layers: LegacyLayer[] = [];
  let chain: Digest | undefined;
  for (const [i, layer] of diffIds.entries()) {
    chain = chain === undefined ? layer : digestOf(Buffer.from(`${chain} ${layer}`));
    const parent = layers.at(-1)?.id;
    const isTop = i === diffIds.length - 1;
    const fields = {
      ...(isTop && Object.fromEntries(FROM_CONFIG.map((name) => [name, field(config, name) ?? null]))),
      ...(parent !== undefined && { parent }),
    };
    const id = createHash('sha256')
      .update(encodeSorted({ ...fields, layer_id: chain }))
      .digest('hex');
    layers.push({ id, layer, json: encodeSorted({ ...fields, id }) });
  }
  return layers;
}

export interface TaggedLayer {
  readonly name: NamedReference;
  /** Id of the highest layer. */
  readonly id: string;
}

/** The file `repositories`: names, their tags, and the layers that these stand for. A later one wins. */
export function encodeRepositories(tagged: readonly TaggedLayer[]): Uint8Array {
  const names = new Map<string, Map<string, string>>();
  for (const { name, id } of tagged) {
    const repository = repositoryName(name);
    const tags = names.get(repository) ?? new Map<string, string>();
    names.set(repository, tags.set(name.tag ?? 'latest', id));
  }
  return encodeSorted(Object.fromEntries([...names].map(([name, tags]) => [name, sorted(Object.fromEntries(tags))])));
}

/** As Go writes a map: sorted keys, and nothing that HTML would take for its own. */
function encodeSorted(fields: JsonObject): Uint8Array {
  const text = JSON.stringify(sorted(fields));
  return Buffer.from(text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function sorted(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
