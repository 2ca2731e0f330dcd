import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directory, file, hardlink, imported, type Made, symlink } from '../layers.fixture.ts';
import { ostreePaths } from '../path-rule.ts';
import type { ImportOptions } from './options.ts';

const OSTREE: Partial<ImportOptions> = { paths: ostreePaths({ keepAll: false }) };
const REPO = 'sysroot/ostree/repo/objects/ab/cd.file';
const changed = { mtime: { seconds: 5, nanoseconds: 0 } };
const fifo = (path: string): Made => ({ path, type: 'fifo' });

describe('a layer over an OSTree commit', () => {
  it('has its etc in usr/etc, and loses what is neither usr, etc nor var', async (t) => {
    const { list, filtered } = await imported(
      t,
      [
        directory('etc', 0o711),
        file('etc/a', '1'),
        file('usr/b', '2'),
        file('var/c', '3'),
        directory('opt'),
        file('opt/d'),
        file('top'),
        directory('run', 0o700),
        file('run/e'),
        file('tmp/f'),
        hardlink('usr/g', 'opt/d'),
        hardlink('usr/h', '/etc/a'),
        fifo('dev/initctl'),
      ],
      OSTREE,
    );
    assert.deepEqual(list, {
      '/': '755',
      'run/': '700',
      'usr/': '755',
      'usr/b': '644 2',
      'usr/etc/': '711',
      'usr/etc/a': '644 1',
      'usr/h': '644 1',
      'var/': '755',
      'var/c': '644 3',
    });
    assert.deepEqual(Object.fromEntries(filtered), { opt: 2, top: 1, run: 1, tmp: 1, usr: 1, dev: 1 });
  });
  it('has whiteouts where the paths went that they hide', async (t) => {
    const { list, filtered } = await imported(
      t,
      [
        file('.wh.etc', ''),
        file('etc/.wh.a', ''),
        file('.wh.opt', ''),
        file('.wh.var', ''),
        file('var/.wh..wh..opq', ''),
      ],
      OSTREE,
    );
    assert.deepEqual(list, {
      '/': '755',
      '.wh.var': '644',
      'usr/': '755',
      'usr/.wh.etc': '644',
      'usr/etc/': '755',
      'usr/etc/.wh.a': '644',
      'var/': '755',
      'var/.wh..wh..opq': '644',
    });
    assert.deepEqual(Object.fromEntries(filtered), { opt: 1 });
  });
  it('keeps everything but what is below API directories when the root is transient', async (t) => {
    const paths = ostreePaths({ keepAll: true });
    const { list, filtered } = await imported(t, [file('opt/d', '1'), file('proc/x'), directory('proc')], { paths });
    assert.deepEqual(list, { '/': '755', 'opt/': '755', 'opt/d': '644 1', 'proc/': '755' });
    assert.deepEqual(Object.fromEntries(filtered), { proc: 1 });
  });
  it('has its var in the factory for old consumers', async (t) => {
    const paths = ostreePaths({ keepAll: false, varTo: 'usr/share/factory/var' });
    const { list } = await imported(t, [file('var/lib/x', '1'), hardlink('usr/y', 'var/lib/x'), file('.wh.var', '')], {
      paths,
    });
    assert.equal(list['usr/share/factory/var/lib/x'], '644 1');
    assert.equal(list['usr/y'], '644 1');
    assert.equal(list['usr/share/factory/.wh.var'], '644');
  });
  it('follows its own links through etc', async (t) => {
    const { list } = await imported(t, [symlink('etc/alt', '../usr/share'), file('etc/alt/x', '1')], OSTREE);
    assert.deepEqual(list, {
      '/': '755',
      'usr/': '755',
      'usr/etc/': '755',
      'usr/etc/alt': '-> ../usr/share',
      'usr/share/': '755',
      'usr/share/x': '644 1',
    });
  });
  it('takes a changed object for the file that is linked to it, by relative and absolute targets', async (t) => {
    const { list, filtered } = await imported(
      t,
      [
        directory('sysroot/ostree/repo'),
        file(REPO, 'new', { mode: 0o600, ...changed }),
        file('sysroot/ostree/repo/objects/ab/same.file', 'old'),
        hardlink('usr/a', REPO),
        hardlink('usr/b', `/${REPO}`),
        hardlink('etc/c', 'sysroot/ostree/repo/objects/ab/same.file'),
        file('usr/d', 'tree'),
        hardlink('sysroot/ostree/repo/objects/ab/other.file', 'usr/d'),
        file('sysroot/ostree/repo/config', 'x', changed),
      ],
      OSTREE,
    );
    assert.deepEqual(list, { '/': '755', 'usr/': '755', 'usr/a': '600 new', 'usr/b': '600 new', 'usr/d': '644 tree' });
    assert.equal(filtered.size, 0);
  });
});
