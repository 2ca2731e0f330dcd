import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, string, type Vardict, variantOf } from '../../gvariant/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import type { Commit } from '../../ostree/index.ts';
import { assertCommitLabel, containerFacts } from './index.ts';

const FOUND = 'ab'.repeat(32);

function commitWith(metadata: Vardict): Commit {
  return { metadata, parent: undefined, related: [], subject: '', body: '', timestamp: 0, rootTree: '', rootMeta: '' };
}

describe('the label of a commit', () => {
  it('may be absent, and is the commit otherwise', () => {
    assertCommitLabel(undefined, FOUND);
    assertCommitLabel(FOUND, FOUND);
    for (const label of ['', FOUND.toUpperCase(), '0'.repeat(64)]) {
      assert.throws(() => assertCommitLabel(label, FOUND), { name: 'LabelError', code: 'COMMIT_LABEL_MISMATCH' });
    }
  });
});

describe('what a commit says of its containers', () => {
  it('is the machine in the words of images, the version and the program', () => {
    const metadata: Vardict = [
      ['ostree.architecture', variantOf(string, 'armv7l')],
      ['version', variantOf(string, '1.0')],
      ['ostree.container-cmd', variantOf(array(string), ['/bin/sh', '-l'])],
    ];
    assert.deepEqual(containerFacts(commitWith(metadata)), {
      platform: { os: 'linux', architecture: 'arm' },
      version: '1.0',
      command: ['/bin/sh', '-l'],
    });
  });

  it('is this machine and nothing else where it says nothing, or names no program', () => {
    const nothing = { platform: hostPlatform(), version: undefined, command: undefined };
    assert.deepEqual(containerFacts(commitWith([])), nothing);
    const empty: Vardict = [['ostree.container-cmd', variantOf(array(string), [])]];
    assert.deepEqual(containerFacts(commitWith(empty)), nothing);
  });
});
