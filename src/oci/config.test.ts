import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assertSameLayers, encodeConfig, parseConfig } from './config.ts';
import { EMPTY_DESCRIPTOR } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { MEDIA } from './media-types.ts';
import { configs } from './oci.fixture.ts';

const diffId = digestOf(Buffer.from('layer'));
const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };
const parse = (value: unknown) => parseConfig(Buffer.from(JSON.stringify(value)));

describe('the config of an image', () => {
  it('comes back as it went in, with what nobody knows', () => {
    fc.assert(
      fc.property(configs, (config) => assert.deepEqual(parseConfig(encodeConfig(config)), config)),
      { numRuns: 300 },
    );
  });

  it('gives the same bytes whatever the order of known fields', () => {
    const config = parse(minimal);
    const reversed = Object.fromEntries(Object.entries({ ...config, config: { Cmd: ['a'], User: 'b' } }).reverse());
    const straight = { ...config, config: { User: 'b', Cmd: ['a'] } };
    assert.deepEqual(encodeConfig(reversed as unknown as typeof config), encodeConfig(straight));
  });

  it('of Docker, with null for what is not set, and fields of its own, keeps those fields', () => {
    const config = parse({
      ...minimal,
      docker_version: '24.0',
      container_config: { Hostname: 'x' },
      config: {
        Cmd: null,
        Env: ['A=1'],
        OnBuild: null,
        Healthcheck: { Test: ['CMD', 'x'] },
        Labels: null,
        Volumes: null,
      },
      history: null,
    });
    assert.deepEqual(config.config, { Env: ['A=1'], OnBuild: null, Healthcheck: { Test: ['CMD', 'x'] } });
    assert.equal(config.history, undefined);
    const again = JSON.parse(Buffer.from(encodeConfig({ ...config, author: 'me' })).toString());
    assert.deepEqual(
      [again.docker_version, again.container_config, again.config.Healthcheck, again.author],
      ['24.0', { Hostname: 'x' }, { Test: ['CMD', 'x'] }, 'me'],
    );
  });

  it('without layers may say null', () => {
    assert.deepEqual(parse({ ...minimal, rootfs: { type: 'layers', diff_ids: null } }).rootfs.diff_ids, []);
  });

  it('without architecture has an empty one, as for Go', () => {
    const { architecture, os } = parse({ rootfs: minimal.rootfs });
    assert.deepEqual([architecture, os], ['', '']);
  });

  it('is not led astray by the names that every object has', () => {
    const bytes = Buffer.from(
      '{"rootfs":{"type":"layers"},"__proto__":{"os":"evil"},"config":{"Labels":{"__proto__":"x"}}}',
    );
    const config = parseConfig(bytes);
    assert.equal(config.os, '');
    assert.deepEqual(Object.entries(config.config?.Labels ?? {}), [['__proto__', 'x']]);
    assert.match(Buffer.from(encodeConfig(config)).toString(), /"Labels":\{"__proto__":"x"\}/);
  });

  for (const [what, value] of [
    ['that is empty, as of an artifact,', {}],
    ['without rootfs', { ...minimal, rootfs: undefined }],
    ['with another kind of rootfs', { ...minimal, rootfs: { type: 'base', diff_ids: [] } }],
    ['with a number for its system', { ...minimal, os: 1 }],
    ['with a command line for its command', { ...minimal, config: { Cmd: 'ls -l' } }],
    ['with a number in its environment', { ...minimal, config: { Env: [1] } }],
    ['with a list for its labels', { ...minimal, config: { Labels: [] } }],
    ['with a number for a label', { ...minimal, config: { Labels: { a: 1 } } }],
    ['with a text for a history', { ...minimal, history: 'x' }],
    ['with a text for "no layer"', { ...minimal, history: [{ empty_layer: 'true' }] }],
  ] as const) {
    it(`${what} is malformed`, () => {
      assert.throws(() => parse(value), { name: 'OciError', code: 'MANIFEST_MALFORMED' });
    });
  }

  it('with a diff id that nobody can verify is refused', () => {
    assert.throws(() => parse({ ...minimal, rootfs: { type: 'layers', diff_ids: ['sha1:aa'] } }), {
      code: 'INVALID_DIGEST',
    });
  });

  it('must have a diff id for every layer', () => {
    const manifest = (count: number) => ({
      kind: 'image' as const,
      mediaType: MEDIA.ociManifest,
      artifactType: undefined,
      config: EMPTY_DESCRIPTOR,
      layers: Array(count).fill(EMPTY_DESCRIPTOR),
      subject: undefined,
      annotations: {},
    });
    assertSameLayers(manifest(1), parse(minimal));
    for (const count of [0, 2]) {
      assert.throws(() => assertSameLayers(manifest(count), parse(minimal)), { code: 'MANIFEST_MALFORMED' });
    }
  });
});
