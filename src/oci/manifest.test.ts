import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EMPTY_DESCRIPTOR } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { encodeManifest, type ImageManifest, parseManifest, rawManifest } from './manifest.ts';
import { MEDIA } from './media-types.ts';
import { images, indexes } from './oci.fixture.ts';

const blob = (text: string, mediaType: string = MEDIA.ociLayerGzip) => ({
  mediaType,
  digest: digestOf(Buffer.from(text)),
  size: text.length,
});
const config = blob('config', MEDIA.ociConfig);
const image = { schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers: [blob('a')] };
const index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [blob('m', MEDIA.ociManifest)] };

const raw = (value: unknown, type?: string) => rawManifest(Buffer.from(JSON.stringify(value)), type);
const parse = (value: unknown, type?: string) => parseManifest(raw(value, type));
const malformed = { name: 'OciError', code: 'MANIFEST_MALFORMED' };

describe('a manifest', () => {
  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.oneof(images, indexes), (manifest) => {
        assert.deepEqual(parseManifest(rawManifest(encodeManifest(manifest))), manifest);
      }),
      { numRuns: 300 },
    );
  });

  it('is written compactly, in the order of the Go tools', () => {
    const manifest: ImageManifest = {
      kind: 'image',
      mediaType: MEDIA.ociManifest,
      artifactType: 'application/x-thing',
      config: EMPTY_DESCRIPTOR,
      layers: [],
      subject: undefined,
      annotations: { b: '1' },
    };
    assert.equal(
      Buffer.from(encodeManifest(manifest)).toString(),
      `{"schemaVersion":2,"mediaType":"${MEDIA.ociManifest}","artifactType":"application/x-thing","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[],"annotations":{"b":"1"}}`,
    );
  });

  it('in the types of Docker has no fields that Docker does not know', () => {
    const parsed = parse({ ...image, annotations: { a: 'b' } });
    const docker = Buffer.from(encodeManifest({ ...parsed, mediaType: MEDIA.dockerManifest })).toString();
    assert.deepEqual(Object.keys(JSON.parse(docker)), ['schemaVersion', 'mediaType', 'config', 'layers']);
  });

  it('keeps its exact bytes, spaces and all, which have the digest', () => {
    const bytes = Buffer.from(JSON.stringify(image, null, 3));
    const { digest, bytes: kept } = rawManifest(bytes);
    assert.equal(kept, bytes);
    assert.equal(digest, digestOf(bytes));
  });

  it('may have fields that nobody knows, and null for empty lists and maps', () => {
    const parsed = parse({ ...image, layers: null, annotations: null, subject: null, 'org.example': { deep: [1] } });
    assert.ok(parsed.kind === 'image');
    assert.deepEqual([parsed.layers, parsed.annotations, parsed.subject], [[], {}, undefined]);
  });

  it('may be of an artifact: a type, an empty config, a subject, embedded data', () => {
    const data = { ...EMPTY_DESCRIPTOR, data: 'e30=' };
    const parsed = parse({ ...image, artifactType: 'application/x', config: data, layers: [data], subject: blob('s') });
    assert.ok(parsed.kind === 'image');
    assert.deepEqual([parsed.artifactType, parsed.config, parsed.subject], ['application/x', data, blob('s')]);
  });

  for (const [what, value] of [
    ['that is no object', []],
    ['of schema 3', { ...image, schemaVersion: 3 }],
    ['of schema "2"', { ...image, schemaVersion: '2' }],
    ['without config', { ...image, config: undefined }],
    ['with layers that are no list', { ...image, layers: {} }],
    ['with the fields of an index, too', { ...image, manifests: [] }],
    ['that is an index with layers', { ...index, layers: [] }],
    ['that is an index with a config', { ...index, config }],
    ['with fields of schema 1', { ...image, fsLayers: [] }],
    ['with a number among its annotations', { ...image, annotations: { a: 1 } }],
    ['with a layer without media type', { ...image, layers: [{ ...blob('a'), mediaType: undefined }] }],
    ['with a layer of empty media type', { ...image, layers: [blob('a', '')] }],
    ['with a layer of negative size', { ...image, layers: [{ ...blob('a'), size: -1 }] }],
    ['with a layer of 1.5 bytes', { ...image, layers: [{ ...blob('a'), size: 1.5 }] }],
    ['with a layer of 2^53 bytes', { ...image, layers: [{ ...blob('a'), size: 2 ** 53 }] }],
    ['with a layer whose size is a text', { ...image, layers: [{ ...blob('a'), size: '1' }] }],
    ['with a layer of too many places', { ...image, layers: [{ ...blob('a'), urls: Array(33).fill('http://x/') }] }],
    ['with a layer of too long a place', { ...image, layers: [{ ...blob('a'), urls: ['x'.repeat(4097)] }] }],
    ['with data that are no base64', { ...image, layers: [{ ...blob('a'), data: 'YQ' }] }],
  ] as const) {
    it(`${what} is malformed`, () => {
      assert.throws(() => parse(value), malformed);
    });
  }

  it('with data that are not what the digest says is refused', () => {
    const wrong = (data: string) => parse({ ...image, layers: [{ ...blob('a'), data }] });
    assert.throws(() => wrong('Yg=='), { code: 'INVALID_DIGEST' });
    assert.throws(() => wrong('YWE='), { code: 'INVALID_SIZE' });
  });

  it('with a digest that nobody can verify is refused', () => {
    for (const digest of [
      'sha256:abc',
      'md5:d41d8cd98f00b204e9800998ecf8427e',
      `sha256:${'A'.repeat(64)}`,
      '',
      '../x',
    ]) {
      assert.throws(() => parse({ ...image, layers: [{ ...blob('a'), digest }] }), { code: 'INVALID_DIGEST' });
    }
  });

  for (const [what, bytes] of [
    ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['half a document', Buffer.from('{"schemaVersion":2')],
    ['nothing', Buffer.alloc(0)],
    ['65 levels', Buffer.from(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`)],
    ['a million open brackets', Buffer.from('['.repeat(1e6))],
  ] as const) {
    it(`of ${what} is malformed`, () => {
      assert.throws(() => rawManifest(bytes), malformed);
    });
  }

  it('may be 64 levels deep, and brackets in strings do not count', () => {
    const deep = JSON.parse(`${'['.repeat(62)}"${'{'.repeat(99)}\\"["${']'.repeat(62)}`);
    assert.equal(parse({ ...image, x: deep }).kind, 'image');
  });

  it('may have 4 MiB and not a byte more', () => {
    const bytes = Buffer.alloc(4 * 2 ** 20, ' ');
    bytes.write(JSON.stringify(image));
    assert.equal(parseManifest(rawManifest(bytes)).kind, 'image');
    assert.throws(() => rawManifest(Buffer.concat([bytes, Buffer.from(' ')])), { code: 'TOO_LARGE' });
  });

  it('is not looked at when it does not have the expected digest', () => {
    assert.throws(() => rawManifest(Buffer.from('{'), undefined, digestOf(Buffer.from('x'))), {
      code: 'INVALID_DIGEST',
    });
  });

  it('keeps the algorithm of the digest it was asked by', () => {
    const bytes = Buffer.from(JSON.stringify(image));
    const expected = digestOf(bytes, 'sha512');
    assert.equal(rawManifest(bytes, undefined, expected).digest, expected);
  });
});

describe('the type of a manifest', () => {
  const { mediaType: _, ...untyped } = image;
  const { mediaType: __, ...untypedIndex } = index;
  const docker = { ...untyped, config: blob('c', MEDIA.dockerConfig) };

  for (const [what, value, declared, expected] of [
    ['is what it says', image, undefined, MEDIA.ociManifest],
    ['is what it says, whatever a server calls JSON', image, 'application/json; charset=utf-8', MEDIA.ociManifest],
    ['is what it was declared as', untyped, MEDIA.ociManifest, MEDIA.ociManifest],
    ['is what it was declared as, parameters aside', docker, `${MEDIA.dockerManifest};x=y`, MEDIA.dockerManifest],
    ['is guessed: an image', untyped, undefined, MEDIA.ociManifest],
    ['is guessed: an image of Docker', docker, 'text/plain', MEDIA.dockerManifest],
    ['is guessed: an index', untypedIndex, undefined, MEDIA.ociIndex],
    ['is guessed: an empty index', { schemaVersion: 2, manifests: [] }, undefined, MEDIA.ociIndex],
    [
      'is guessed: a list',
      { schemaVersion: 2, manifests: [blob('m', MEDIA.dockerManifest)] },
      undefined,
      MEDIA.dockerList,
    ],
    ['is guessed: schema 1', { schemaVersion: 1 }, undefined, MEDIA.dockerSchema1],
    ['is guessed: signed schema 1', { schemaVersion: 1, signatures: [] }, undefined, MEDIA.dockerSchema1Signed],
  ] as const) {
    it(what, () => {
      assert.equal(raw(value, declared).mediaType, expected);
    });
  }

  it('cannot be one inside and another outside', () => {
    assert.throws(() => raw(image, MEDIA.ociIndex), malformed);
    assert.throws(() => raw(image, MEDIA.dockerManifest), malformed);
    assert.throws(() => parseManifest({ ...raw(image), mediaType: MEDIA.ociIndex }), malformed);
  });

  for (const [what, value, declared] of [
    ['Docker schema 1', { schemaVersion: 1, fsLayers: [] }, undefined],
    ['signed Docker schema 1', { schemaVersion: 1, signatures: [] }, MEDIA.dockerSchema1Signed],
    ['an artifact manifest of the draft', { mediaType: 'application/vnd.oci.artifact.manifest.v1+json' }, undefined],
    ['anything unknown', { ...image, mediaType: 'application/x' }, undefined],
  ] as const) {
    it(`${what} is not supported, by name`, () => {
      assert.throws(() => parse(value, declared), { name: 'OciError', code: 'MANIFEST_UNSUPPORTED' });
    });
  }
});
