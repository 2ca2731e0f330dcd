/**
 * Components that somebody else made out: the file of `--contentmeta`.
 *
 * Shape: JSON, `{"version":1,"created":TIME,"labels":{K:V},"layers":{ID:NAME},"mapping":{CHECKSUM:ID}}`; `created` in
 * RFC 3339, checksums of content objects in hex. `"ordered":true`, an order of layers by hand, is refused, and so is
 * every field that is not named here. Fields that have no value may be null. Limits: 128 MiB, about a
 * million objects.
 */
import * as v from 'valibot';
import { decodeUtf8 } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { type Checksum, isChecksum } from '../../ostree/index.ts';
import { ALWAYS_CHANGING, type Component, type ComponentMapping, isComponentName, UNPACKAGED } from './components.ts';
import { PackingError } from './error.ts';

export interface ContentMeta {
  /** As it was written. */
  readonly created: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  /** Identifier to name. */
  readonly layers: ReadonlyMap<string, string>;
  /** Content object to identifier. */
  readonly mapping: ReadonlyMap<Checksum, string>;
}

const LIMIT = 128 * 2 ** 20;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Own keys, whatever they are called: a library that skips `constructor` would lose an object. */
const texts = v.custom<Readonly<Record<string, string>>>(isTexts, 'expected an object with texts');
const FILE = v.strictObject({
  version: v.literal(1),
  created: v.nullish(v.pipe(v.string(), v.check(isTime, 'expected a time in RFC 3339'))),
  labels: v.nullish(texts),
  layers: texts,
  mapping: texts,
  ordered: v.nullish(v.literal(false)),
});

/** @throws PackingError CONTENT_META, TOO_LARGE */
export function parseContentMeta(bytes: Uint8Array, what: string): ContentMeta {
  if (bytes.length > LIMIT) throw new PackingError('TOO_LARGE', `${what}: larger than the limit of ${LIMIT} bytes`);
  const result = v.safeParse(FILE, parseJson(bytes, what));
  if (!result.success) throw malformed(what, describe(result.issues[0]));
  const { created, labels, layers, mapping } = result.output;
  const meta: ContentMeta = {
    created: created ?? undefined,
    labels: new Map(Object.entries(labels ?? {})),
    layers: new Map(Object.entries(layers)),
    mapping: new Map(Object.entries(mapping)),
  };
  assertConsistent(meta, what);
  return meta;
}

/**
 * Its layers as components, save those without any object. `unpackaged` changes with every build, of the others nothing is known.
 * @param sizes of the content of every content object of the commit
 * @throws PackingError CONTENT_META for an object that only one of them knows
 */
export function componentsOfContentMeta(
  { layers, mapping }: ContentMeta,
  sizes: ReadonlyMap<Checksum, number>,
  what: string,
): ComponentMapping {
  const totals = new Map<string, number>();
  for (const [checksum, id] of mapping) {
    const size = sizes.get(checksum);
    if (size === undefined) throw malformed(what, `content object ${checksum} is not in the commit`);
    totals.set(id, (totals.get(id) ?? 0) + size);
  }
  for (const checksum of sizes.keys()) {
    if (!mapping.has(checksum)) throw malformed(what, `content object ${checksum} of the commit is in no layer`);
  }
  const components = [...layers].flatMap(([id, name]) => {
    const size = totals.get(id);
    return size === undefined ? [] : component(id, name, size);
  });
  return { components, objects: mapping };
}

function component(id: string, name: string, size: number): Component {
  const changeFrequency = id === UNPACKAGED ? ALWAYS_CHANGING : 0;
  return { identifier: id, name, srcid: id, changeTimeOffset: 0, changeFrequency, size };
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes) ?? '');
  } catch (cause) {
    throw malformed(what, `no JSON in UTF-8: ${explain(cause)}`, cause);
  }
}

function assertConsistent({ layers, mapping }: ContentMeta, what: string): void {
  const names = new Set<string>();
  for (const [id, name] of layers) {
    if (!isComponentName(name)) throw malformed(what, `layer ${quote(id)}: ${quote(name)} is no name of a component`);
    if (names.has(name)) throw malformed(what, `two layers have the name ${quote(name)}`);
    names.add(name);
  }
  for (const [checksum, id] of mapping) {
    if (!isChecksum(checksum)) throw malformed(what, `${quote(checksum)} is no checksum of an object`);
    if (!layers.has(id)) throw malformed(what, `object ${checksum} is in a layer ${quote(id)} that is not listed`);
  }
}

function isTexts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

function isTime(text: string): boolean {
  return TIME.test(text) && !Number.isNaN(Date.parse(text));
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path.slice(0, 80)}: ${issue.message}`;
}

function malformed(what: string, text: string, cause?: unknown): PackingError {
  return new PackingError('CONTENT_META', `${what}: ${text.slice(0, 500)}`, { cause, subject: what });
}
