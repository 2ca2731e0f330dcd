import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readExports } from './exports.ts';
import { labelsOf } from './labels.ts';
import { EMPTY_MANIFEST } from './manifest.ts';
import { memoryTree } from './tree.fixture.ts';

describe('what an image exports', () => {
  it('is read whole', () => {
    const exports = readExports(
      memoryTree({
        'exports/manifest.json': '{"noContainerService": true}',
        'exports/config.json.template': '{"root": $X}',
        'exports/service.template': '[Unit]\n',
        'exports/tmpfiles.template': 'd /run/x\n',
        'exports/hostfs/etc/x': '1',
        'exports/check': { mode: 0o755 },
      }),
    );
    assert.deepEqual(exports, {
      hasExports: true,
      manifest: { ...EMPTY_MANIFEST, noContainerService: true },
      config: { kind: 'template', bytes: Buffer.from('{"root": $X}') },
      unit: Buffer.from('[Unit]\n'),
      tmpfiles: Buffer.from('d /run/x\n'),
      hasHostFiles: true,
      check: true,
    });
  });

  it('is nothing in an image without that directory', () => {
    assert.deepEqual(readExports(memoryTree({ 'usr/bin/run.sh': '' })), {
      hasExports: false,
      manifest: EMPTY_MANIFEST,
      config: undefined,
      unit: undefined,
      tmpfiles: undefined,
      hasHostFiles: false,
      check: false,
    });
  });

  it('is little in one that is empty, and so is a hostfs without files', () => {
    assert.equal(readExports(memoryTree({ 'exports/': {} })).hasExports, true);
    assert.equal(readExports(memoryTree({ 'exports/hostfs/': {} })).hasHostFiles, false);
  });

  it('takes a config.json before its template', () => {
    const { config } = readExports(
      memoryTree({ 'exports/config.json': '{}', 'exports/config.json.template': '{"a":1}' }),
    );
    assert.deepEqual(config, { kind: 'verbatim', bytes: Buffer.from('{}') });
  });

  it('has no check that nobody may execute', () => {
    assert.equal(readExports(memoryTree({ 'exports/check': 'x' })).check, false);
  });

  for (const path of [
    'exports',
    'exports/manifest.json',
    'exports/config.json',
    'exports/service.template',
    'exports/hostfs',
    'exports/check',
  ]) {
    it(`is refused when /${path} is a link: it would lead out of the image`, () => {
      assert.throws(() => readExports(memoryTree({ [path]: { target: '/etc/shadow' } })), {
        code: 'BAD_IMAGE_MANIFEST',
      });
    });
  }

  it('is refused when a file is a directory', () => {
    assert.throws(() => readExports(memoryTree({ 'exports/tmpfiles.template/x': '' })), { code: 'BAD_IMAGE_MANIFEST' });
  });

  it('is refused when a file is larger than any can be', () => {
    const big = new Uint8Array(2 ** 21 + 1);
    assert.throws(() => readExports(memoryTree({ 'exports/service.template': big })), { code: 'TOO_LARGE' });
    assert.throws(() => readExports(memoryTree({ 'exports/manifest.json': big.subarray(2 ** 20 - 1) })), {
      code: 'TOO_LARGE',
    });
  });
});

describe('the labels of an image', () => {
  const config = (labels: Record<string, string>) =>
    ({ architecture: '', os: '', rootfs: { type: 'layers', diff_ids: [] }, config: { Labels: labels } }) as const;

  it('tell what it was made for', () => {
    assert.equal(labelsOf(config({ 'atomic.type': 'system' })).isSystemContainer, true);
    assert.equal(labelsOf(config({ 'atomic.run': 'once' })).runsOnce, true);
    assert.deepEqual(
      [...labelsOf(config({ b: '1', a: '2' })).all],
      [
        ['b', '1'],
        ['a', '2'],
      ],
    );
  });

  it('are none without a configuration, and others mean nothing', () => {
    assert.deepEqual(labelsOf(undefined), { isSystemContainer: false, runsOnce: false, all: new Map() });
    assert.equal(labelsOf(config({ 'atomic.type': 'System', 'atomic.run': 'twice' })).isSystemContainer, false);
  });
});
