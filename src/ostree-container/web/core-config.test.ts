import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coreConfig } from './core-config.ts';

describe('the configuration that is served', () => {
  it('is the group [core] and nothing else', () => {
    const config = [
      'stray=1',
      '# secret comment',
      '[core]',
      'repo_version=1',
      ' mode = archive-z2',
      '# password: hunter2',
      'parent=/srv/other',
      '',
      '[remote "origin"]',
      'url=https://user:secret@example.com/',
      'core=1',
      '[core]',
      'indexed-deltas=true',
      '[archive]',
      'zlib-level=9',
    ].join('\n');
    assert.equal(coreConfig(config), '[core]\nrepo_version=1\nmode = archive-z2\nindexed-deltas=true\n');
  });
  it('of an empty file is an empty group', () => assert.equal(coreConfig(''), '[core]\n'));
});
