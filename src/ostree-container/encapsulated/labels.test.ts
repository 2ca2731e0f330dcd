import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, boolean, string, type Vardict, variantOf } from '../../gvariant/index.ts';
import type { Commit } from '../../ostree/index.ts';
import { commitFacts, commitLabels } from './labels.ts';

const CHECKSUM = 'ab'.repeat(32);
const METADATA: Vardict = [
  ['version', variantOf(string, '40.1')],
  ['ostree.bootable', variantOf(boolean, true)],
  ['ostree.linux', variantOf(string, '6.1.0')],
  ['vendor.key', variantOf(string, 'value')],
  ['vendor.flag', variantOf(boolean, true)],
];

function commitWith(metadata: Vardict, facts: Partial<Commit> = {}): Commit {
  const common = { parent: undefined, related: [], subject: '', body: '', timestamp: 0, rootTree: '', rootMeta: '' };
  return { metadata, ...common, ...facts };
}

describe('labels of a commit', () => {
  it('are what its metadata say', () => {
    assert.deepEqual(Object.fromEntries(commitLabels(commitWith(METADATA), {})), {
      'ostree.bootable': 'true',
      'containers.bootc': '1',
      'ostree.linux': '6.1.0',
      'org.opencontainers.image.version': '40.1',
    });
    assert.equal(commitLabels(commitWith([]), {}).size, 0);
  });

  it('of a commit that says that it is not bootable say so, too', () => {
    const labels = commitLabels(commitWith([['ostree.bootable', variantOf(boolean, false)]]), {});
    assert.equal(labels.get('ostree.bootable'), 'false');
  });

  it('have the version twice, and further metadata, where that is asked for; later ones win', () => {
    const request = {
      versionLabel: true,
      copyMetadata: ['vendor.key'],
      copyMetadataOptional: ['vendor.absent'],
      more: [
        ['vendor.key', 'first'],
        ['vendor.key', 'last'],
      ] as const,
    };
    const labels = commitLabels(commitWith(METADATA), request);
    assert.deepEqual([labels.get('version'), labels.get('vendor.key')], ['40.1', 'last']);
    assert.equal(labels.has('vendor.absent'), false);
  });

  for (const request of [
    { copyMetadata: ['vendor.absent'] },
    { copyMetadata: ['vendor.flag'] },
    { copyMetadataOptional: ['vendor.flag'] },
  ]) {
    it(`are not made with ${JSON.stringify(request)}`, () => {
      assert.throws(() => commitLabels(commitWith(METADATA), request), { code: 'COMMIT_METADATA' });
    });
  }
});

describe('an image of a commit', () => {
  it('has the architecture, the command and the time of the commit', () => {
    const metadata: Vardict = [
      ['ostree.architecture', variantOf(string, 'aarch64')],
      ['ostree.container-cmd', variantOf(array(string), ['bash', '-l'])],
    ];
    const facts = commitFacts(CHECKSUM, commitWith(metadata, { timestamp: 1_600_000_000, subject: 'new' }));
    assert.deepEqual(facts, {
      architecture: 'arm64',
      command: ['bash', '-l'],
      created: '2020-09-13T12:26:40Z',
      title: 'new',
    });
    assert.equal(commitFacts(CHECKSUM, commitWith([])).title, `ostree export of commit ${CHECKSUM}`);
  });

  it('cannot be from after the year 9999', () => {
    assert.throws(() => commitFacts(CHECKSUM, commitWith([], { timestamp: 2 ** 40 })), { code: 'COMMIT_TIME' });
  });
});
