import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { memoryTree } from '../contract/tree.fixture.ts';
import { defaultTmpfiles } from './index.ts';
import { check, config, DEPLOYMENT, places } from './preflight.fixture.ts';

describe('the fragment of an image that brings none', () => {
  const values = new Map([
    ['NAME', 'kvd'],
    ['DESTDIR', DEPLOYMENT],
    ['HOST_UID', '7'],
    ['HOST_GID', '8'],
  ]);
  const made = (root: string, mounts: Parameters<typeof config>[0], more = {}) =>
    defaultTmpfiles({ config: config(mounts), places: places(root), values, ...more })?.toString();

  it('has a directory for every mount source that is missing', (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'etc/there'), { recursive: true });
    writeFileSync(join(root, 'etc/hosts'), '');
    const sources = [
      '/var/lib/kvd',
      '/run/kv d',
      '/etc/there',
      '/etc/hosts',
      '/var/lib/kvd',
      '/srv/kvd',
      '/run',
      `${DEPLOYMENT}/x`,
      'x',
      '/run/../srv',
    ];
    assert.equal(
      made(
        root,
        sources.map((source) => ({ source })),
      ),
      'd "/run/kv d" 0700 7 8 - -\nd /var/lib/kvd 0700 7 8 - -\n',
    );
  });

  it('is none when nothing is missing', (t) => {
    assert.equal(made(scratch(t), [{ source: '/srv/kvd' }]), undefined);
    assert.equal(made(scratch(t), []), undefined);
  });

  it('makes no directory of what is a file: of the image, of the host files, or a socket', (t) => {
    const root = scratch(t);
    const mounts = [{ source: '/etc/kvd.conf', destination: '/etc/kvd.conf' }, { source: '/run/kvd.sock' }];
    const tree = memoryTree({ 'etc/kvd.conf': '' });
    assert.equal(made(root, mounts, { tree }), undefined);
    assert.equal(made(root, mounts, { provided: ['/etc', '/etc/kvd.conf'] }), undefined);
    assert.equal(made(root, mounts), 'd /etc/kvd.conf 0700 7 8 - -\n');
  });

  it('is one that is not refused', async (t) => {
    const root = scratch(t);
    const mounts = config([{ source: '/var/lib/kvd' }, { source: '/srv/state/kvd' }]);
    const setValues = new Map([['STATE_DIRECTORY', '/srv/state']]);
    const fragment = defaultTmpfiles({ config: mounts, places: places(root), values, setValues });
    assert.equal(fragment?.toString(), 'd /srv/state/kvd 0700 7 8 - -\nd /var/lib/kvd 0700 7 8 - -\n');
    assert.deepEqual((await check(t, { config: mounts, places: places(root), fragment, setValues })).notes, []);
  });
});
