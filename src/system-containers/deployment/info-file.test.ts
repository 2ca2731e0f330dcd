import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../base/error.ts';
import type { Info } from './info.ts';
import { decodeInfo, encodeInfo, NEW_INFO } from './info-file.ts';

const FULL: Info = {
  image: 'docker.io/example/kvd:1.0',
  revision: 'a'.repeat(64),
  imageCommit: 'b'.repeat(64),
  created: 1_534_000_000,
  runtime: '/usr/bin/runc',
  hasService: false,
  rootfs: '/srv/root',
  installedFiles: ['/etc/a', '/etc/b'],
  installedTemplates: ['/etc/b'],
  checksums: new Map([['/etc/a', 'c'.repeat(64)]]),
  renamedFiles: new Map([['/etc/x', '/etc/a']]),
  values: new Map([
    ['NAME', 'kvd'],
    ['__proto__', 'x'],
  ]),
  setValues: new Map([['PORT', '80']]),
  installedDirectories: ['/etc/kvd'],
  modifiedFiles: ['/etc/b'],
  newFiles: new Map([['/etc/b.new', 'd'.repeat(64)]]),
  activated: 1_534_000_000_123,
  permissions: ['hooks'],
  verification: { level: 'signed', scope: 'docker.io/example', keys: ['0123'] },
  skippedRevision: 'f'.repeat(64),
  tagVersion: { pattern: '1.*', preReleases: true },
  unknown: { 'rpm-installed': true, list: [1, null] },
};

const decode = (value: unknown): Info => decodeInfo(Buffer.from(JSON.stringify(value)), 'info');

describe('an info file', () => {
  it('comes back as it went in', () => {
    assert.deepEqual(decodeInfo(encodeInfo(FULL), 'info'), FULL);
    assert.deepEqual(decodeInfo(encodeInfo(NEW_INFO), 'info'), NEW_INFO);
  });
  it('has the keys of the earlier tools, indented by four', () => {
    const text = Buffer.from(encodeInfo(FULL)).toString();
    assert.match(text, /^\{\n {4}"ostree-commit": "b/);
    const keys = ['revision', 'remote', 'image', 'created', 'runtime', 'installed-files', 'installed-files-checksum'];
    for (const key of keys) assert.ok(text.includes(`\n    "${key}": `), key);
  });
  it('of the Go program is read: null for what is empty', () => {
    const info = decode({
      'ostree-commit': '0',
      'has-container-service': true,
      'installed-files': null,
      'installed-files-checksum': null,
      'rename-installed-files': null,
      remote: '',
      created: 1_534_000_000,
      values: { NAME: 'etcd' },
    });
    assert.deepEqual(info.installedFiles, []);
    assert.deepEqual([info.rootfs, info.setValues, info.activated], [undefined, undefined, undefined]);
    assert.deepEqual(info.values, new Map([['NAME', 'etcd']]));
  });
  it('of atomic is read: numbers for texts, keys that are missing', () => {
    const info = decode({ values: { HOST_UID: 0, DEBUG: true }, remote: null, 'system-package': 'no' });
    assert.deepEqual(
      [...info.values],
      [
        ['HOST_UID', '0'],
        ['DEBUG', 'true'],
      ],
    );
    assert.deepEqual([info.hasService, info.image, info.created], [true, '', 0]);
    assert.deepEqual(info.unknown, { 'system-package': 'no' });
  });
  for (const [flaw, bytes] of Object.entries({
    'no JSON': Buffer.from('{'),
    nothing: Buffer.from(''),
    'a list': Buffer.from('[]'),
    null: Buffer.from('null'),
    'bytes that are no text': Buffer.from([0x22, 0xff, 0x22]),
  })) {
    it(`with ${flaw} in it is malformed`, () => {
      assert.throws(() => decodeInfo(bytes, '/x/info'), { code: 'BAD_INFO', subject: '/x/info' });
    });
  }
  it('with values of wrong types has none for them', () => {
    const info = decode({
      image: {},
      created: 'x',
      'installed-files': [1, '/a'],
      values: [],
      verification: { level: 'x' },
    });
    assert.deepEqual([info.image, info.created, info.installedFiles, info.values.size], ['', 0, ['/a'], 0]);
    assert.equal(info.verification, undefined);
  });
  it('of any JSON is read or malformed, and what was read comes back', () => {
    const key = fc.constantFrom('image', 'created', 'values', 'installed-files', 'verification', 'remote', '__proto__');
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(key, fc.jsonValue())), (value) => {
        const info = decodedOr(value);
        if (info !== undefined) assert.deepEqual(decodeInfo(encodeInfo(info), 'info'), info);
      }),
    );
  });
});

function decodedOr(value: unknown): Info | undefined {
  try {
    return decode(value);
  } catch (error) {
    assert.equal(codeOf(error), 'BAD_INFO');
    return undefined;
  }
}
