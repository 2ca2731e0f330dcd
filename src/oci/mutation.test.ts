import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { mutate, seededRandom } from '../../test/support/mutate.ts';
import { makeImage } from '../../test/support/oci-image.ts';
import { scratch } from '../../test/support/scratch.ts';
import { CodedError } from '../base/error.ts';
import { pieces, whole } from '../compression/streams.fixture.ts';
import { openOciArchive, writeOciArchive } from './archive/index.ts';
import { encodeConfig, parseConfig } from './config.ts';
import { EMPTY_DESCRIPTOR } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { openLayer } from './layer/open-layer.ts';
import { LayoutIndex } from './layout/layout-index.ts';
import { encodeManifest, parseManifest, rawManifest } from './manifest.ts';
import { MEDIA } from './media-types.ts';
import { parsePlatform } from './platform.ts';
import { formatNamed, parseNamed } from './reference.ts';

const RUNS = 20_000;
const SEED = Number(process.env['SEED'] ?? 20261121);
const INTERESTING = Buffer.from('{}[]",:\\/@.-_0129eE nulltrue\xff\xc3', 'latin1');

const digest = digestOf(Buffer.from('x'));
const platform = parsePlatform('linux/arm/v7');
const descriptor = { ...EMPTY_DESCRIPTOR, data: 'e30=', urls: ['http://x/'], annotations: { a: 'b' }, platform };
const common = { artifactType: 'a/b', subject: descriptor, annotations: { c: 'd' } };
const manifest = encodeManifest({
  kind: 'image',
  mediaType: MEDIA.ociManifest,
  config: descriptor,
  layers: [descriptor],
  ...common,
});
const index = encodeManifest({
  kind: 'index',
  mediaType: MEDIA.ociIndex,
  manifests: [descriptor, descriptor],
  ...common,
});
const config = encodeConfig({
  architecture: 'arm',
  os: 'linux',
  config: { Env: ['A=b'], Cmd: ['x'], Labels: { a: 'b' }, Volumes: { '/v': {} } },
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [{ created_by: 'x', empty_layer: true }],
  extra: [{ deep: 1 }],
});

const parsers: readonly (readonly [what: string, original: Uint8Array, parse: (bytes: Buffer) => unknown])[] = [
  ['manifests', manifest, (bytes) => encodeManifest(parseManifest(rawManifest(bytes)))],
  ['indexes', index, (bytes) => encodeManifest(parseManifest(rawManifest(bytes)))],
  ['configs', config, (bytes) => encodeConfig(parseConfig(bytes))],
  ['indexes of layouts', index, (bytes) => [LayoutIndex.parse(bytes).value, LayoutIndex.parse(bytes).encode()]],
  ['names', Buffer.from(`quay.io:443/some/app:1.0@${digest}`), (bytes) => formatNamed(parseNamed(bytes.toString()))],
  ['platforms', Buffer.from('linux/arm/v7'), (bytes) => parsePlatform(bytes.toString())],
];

describe(`${RUNS} damaged documents, seed ${SEED}`, () => {
  for (const [what, original, parse] of parsers) {
    it(`${what} give a value or a coded error`, () => {
      const random = seededRandom(SEED);
      let [values, refused] = [0, 0];
      for (let run = 0; run < RUNS / parsers.length; run++) {
        try {
          parse(mutate(original, random, INTERESTING));
          values++;
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          refused++;
        }
      }
      assert.ok(values > 20 && refused > 100, `${values} values, ${refused} refused`);
    });
  }
});

describe('damage', () => {
  const signal = new AbortController().signal;
  const tar = Buffer.concat([Buffer.alloc(3000, 'text'), Buffer.from(SEED.toString().repeat(100))]);

  it('of layers give their bytes or a coded error, whatever the digest says', async () => {
    const random = seededRandom(SEED);
    let [values, refused] = [0, 0];
    for (let run = 0; run < 500; run++) {
      const blob = mutate(gzipSync(tar), random, INTERESTING);
      const described = { mediaType: MEDIA.ociLayerGzip, digest: digestOf(blob), size: blob.length };
      const layer = openLayer(described, pieces(blob, 100), { limit: 10_000, signal });
      const error = await whole(layer).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) values++;
      else if (error instanceof CodedError) refused++;
      else throw error;
    }
    assert.ok(values > 5 && refused > 100, `${values} values, ${refused} refused`);
  });

  it('of archives give an image or a coded error', async (t) => {
    const folder = scratch(t);
    const [original, damaged] = [join(folder, 'original.tar'), join(folder, 'damaged.tar')];
    const image = await makeImage(join(folder, 'layout'), { tag: 'x', layers: [] });
    const archive = await writeOciArchive(original);
    archive.writeManifest(image.raw);
    archive.setTag(image.descriptor, 'x');
    await archive.finish(signal);
    const [bytes, random] = [readFileSync(original), seededRandom(SEED)];
    let [values, refused] = [0, 0];
    for (let run = 0; run < 500; run++) {
      writeFileSync(damaged, mutate(bytes, random, INTERESTING));
      try {
        const opened = await openOciArchive(damaged, signal);
        t.after(() => opened.close());
        await opened.image('x').readManifest(undefined, signal);
        values++;
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        refused++;
      }
    }
    assert.ok(values > 20 && refused > 20, `${values} values, ${refused} refused`);
  });
});
