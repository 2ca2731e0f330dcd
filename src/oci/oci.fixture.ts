/** Arbitrary values of the formats, for properties. */
import fc from 'fast-check';
import type { HistoryEntry, ImageConfig, RunConfig } from './config.ts';
import { type Descriptor, present } from './descriptor.ts';
import { type Digest, digestOf } from './digest.ts';
import type { ImageIndex, ImageManifest } from './manifest.ts';
import { MEDIA } from './media-types.ts';
import type { Platform } from './platform.ts';

export const digests: fc.Arbitrary<Digest> = fc
  .tuple(fc.uint8Array({ maxLength: 8 }), fc.constantFrom('sha256' as const, 'sha512' as const))
  .map(([bytes, algorithm]) => digestOf(bytes, algorithm));

const texts = fc.string({ maxLength: 12, unit: 'grapheme' });
const maps = fc.dictionary(texts, texts, { maxKeys: 3, noNullPrototype: true });

function optionally<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
}

export const platforms: fc.Arbitrary<Platform> = fc
  .tuple(
    fc.constantFrom('amd64', 'arm', 'arm64', 's390x'),
    fc.constantFrom('linux', 'windows'),
    optionally({ variant: fc.constantFrom('v6', 'v7', 'v8'), 'os.version': texts, 'os.features': fc.array(texts) }),
  )
  .map(([architecture, os, rest]) => ({ architecture, os, ...rest }) as Platform);

export const descriptors: fc.Arbitrary<Descriptor> = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 12 }),
    algorithm: fc.constantFrom('sha256' as const, 'sha512' as const),
    mediaType: fc.constantFrom(MEDIA.ociLayerGzip, MEDIA.ociManifest, 'application/x'),
    isEmbedded: fc.boolean(),
    rest: optionally({
      urls: fc.array(fc.webUrl(), { maxLength: 3 }),
      annotations: maps,
      platform: platforms,
      artifactType: texts,
    }),
  })
  .map(({ bytes, algorithm, mediaType, isEmbedded, rest }) => {
    const data = isEmbedded ? Buffer.from(bytes).toString('base64') : undefined;
    return present({ mediaType, digest: digestOf(bytes, algorithm), size: bytes.length, ...rest, data }) as Descriptor;
  });

const common = {
  artifactType: fc.option(texts, { nil: undefined }),
  subject: fc.option(descriptors, { nil: undefined }),
};

export const images: fc.Arbitrary<ImageManifest> = fc.record(
  {
    kind: fc.constant('image' as const),
    mediaType: fc.constant(MEDIA.ociManifest),
    config: descriptors,
    layers: fc.array(descriptors, { maxLength: 3 }),
    annotations: maps,
    ...common,
  },
  { noNullPrototype: true },
);

export const indexes: fc.Arbitrary<ImageIndex> = fc.record(
  {
    kind: fc.constant('index' as const),
    mediaType: fc.constant(MEDIA.ociIndex),
    manifests: fc.array(descriptors, { maxLength: 3 }),
    annotations: maps,
    ...common,
  },
  { noNullPrototype: true },
);

const unknown = fc.dictionary(
  texts.map((name) => `x-${name}`),
  fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value ?? 0))),
  { maxKeys: 2, noNullPrototype: true },
);

const sets = fc.dictionary(texts, fc.constant({}), { maxKeys: 2, noNullPrototype: true });
const run: fc.Arbitrary<RunConfig> = fc
  .tuple(
    optionally({
      User: texts,
      Env: fc.array(texts),
      Cmd: fc.array(texts),
      Labels: maps,
      Volumes: sets,
      ExposedPorts: sets,
    }),
    unknown,
  )
  .map(([known, more]) => ({ ...known, ...more }));
const history: fc.Arbitrary<HistoryEntry> = fc
  .tuple(optionally({ created: texts, created_by: texts, empty_layer: fc.boolean() }), unknown)
  .map(([known, more]) => ({ ...known, ...more }));

export const configs: fc.Arbitrary<ImageConfig> = fc
  .tuple(
    fc.record({ architecture: texts, os: texts }, { noNullPrototype: true }),
    fc.array(digests, { maxLength: 3 }),
    optionally({ created: texts, author: texts, variant: texts, config: run, history: fc.array(history) }),
    unknown,
  )
  .map(([fixed, diffIds, rest, more]) => ({
    ...fixed,
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...rest,
    ...more,
  }));
