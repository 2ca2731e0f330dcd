import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from './config.ts';
import { KeyFile } from './key-file.ts';

const TEXT =
  '# comment\n[core]\nrepo_version=1\nmode = archive-z2\n\n[remote "a"]\nurl=http://x/\\s\\\\\\n\nlist=a;b\\;c;;\n';
const MALFORMED = { code: 'CONFIG_MALFORMED' };
const core = (lines: string) => readConfig(KeyFile.parse(`[core]\nrepo_version=1\n${lines}\n`, 'config'), 'config');

describe('a key file', () => {
  it('that is not changed comes back as it was', () => {
    assert.equal(KeyFile.parse(TEXT, 'x').format(), TEXT);
  });

  it('has groups, keys and values, escapes undone', () => {
    const file = KeyFile.parse(TEXT, 'x');
    assert.deepEqual(file.groups, ['core', 'remote "a"']);
    assert.deepEqual(file.keys('remote "a"'), ['url', 'list']);
    assert.equal(file.string('core', 'mode'), 'archive-z2');
    assert.equal(file.string('remote "a"', 'url'), 'http://x/ \\\n');
    assert.equal(file.string('core', 'absent'), undefined);
    assert.equal(file.string('absent', 'mode'), undefined);
  });

  it('keeps everything else when a key is set, added or removed', () => {
    const file = KeyFile.parse(TEXT, 'x');
    file.set('core', 'mode', 'bare');
    file.set('core', 'fsync', 'false');
    file.set('new', 'a', ' b\n');
    assert.equal(file.remove('remote "a"', 'list'), true);
    assert.equal(file.remove('remote "a"', 'list'), false);
    assert.equal(
      file.format(),
      '# comment\n[core]\nrepo_version=1\nmode=bare\nfsync=false\n\n[remote "a"]\nurl=http://x/\\s\\\\\\n\n\n[new]\na=\\sb\\n\n',
    );
    assert.equal(KeyFile.parse(file.format(), 'x').string('new', 'a'), ' b\n');
    assert.equal(file.removeGroup('remote "a"'), true);
    assert.deepEqual(file.groups, ['core', 'new']);
  });

  it('whose last line has no newline, or that is empty, is fine', () => {
    assert.equal(KeyFile.parse('[a]\nb=c', 'x').string('a', 'b'), 'c');
    assert.deepEqual(KeyFile.parse('', 'x').groups, []);
  });

  it('takes the last of several equal keys', () => {
    assert.equal(KeyFile.parse('[a]\nb=1\nb=2\n', 'x').string('a', 'b'), '2');
  });

  for (const bad of ['key=value', '[a]\nno equals sign', '[a\nb=c', '[a]\n=value']) {
    it(`with ${JSON.stringify(bad)} is malformed`, () => assert.throws(() => KeyFile.parse(bad, 'x'), MALFORMED));
  }

  it('refuses values that are not what is asked for', () => {
    const file = KeyFile.parse('[a]\nflag=yes\nnumber=1x\nescape=a\\qb\n', 'x');
    assert.throws(() => file.boolean('a', 'flag'), MALFORMED);
    assert.throws(() => file.integer('a', 'number'), MALFORMED);
    assert.throws(() => file.string('a', 'escape'), MALFORMED);
  });
});

describe('the configuration of a repository', () => {
  it('has the defaults of libostree', () => {
    const config = core('');
    assert.equal(config.mode, 'bare');
    assert.equal(config.fsync, true);
    assert.equal(config.lockTimeoutMs, 300_000);
    assert.deepEqual(config.minFree, { kind: 'percent', percent: 3 });
    assert.equal(config.zlibLevel, 6);
    assert.equal(config.locking, true);
  });

  it('reads what is set', () => {
    const config = core(
      'mode=archive\nfsync=0\nlock-timeout-secs=-1\nmin-free-space-size=500MB\ncommit-update-summary=true',
    );
    assert.equal(config.mode, 'archive');
    assert.equal(config.fsync, false);
    assert.equal(config.lockTimeoutMs, undefined);
    assert.deepEqual(config.minFree, { kind: 'size', bytes: 500 * 2 ** 20 });
    assert.equal(config.autoUpdateSummary, true);
  });

  for (const bad of [
    'fsync=maybe',
    'min-free-space-percent=100',
    'min-free-space-size=5',
    'collection-id=no-dots',
    'archive=true',
    '[archive]\nzlib-level=10',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.throws(() => core(bad), MALFORMED));
  }

  it('refuses another version, and unknown modes by name', () => {
    assert.throws(() => readConfig(KeyFile.parse('[core]\nrepo_version=2\n', 'x'), 'x'), MALFORMED);
    assert.throws(() => core('mode=bare-magic'), { code: 'REPOSITORY_MODE' });
  });
});

describe('a list in a key file', () => {
  const list = (value: string, separator?: RegExp) => KeyFile.parse(`[a]\nb=${value}\n`, 'x').list('a', 'b', separator);

  it('has elements between separators, one at the end or not, escaped ones inside', () => {
    assert.deepEqual(list('a;b;'), ['a', 'b']);
    assert.deepEqual(list('a;b'), ['a', 'b']);
    assert.deepEqual(list('a;b\\;c;;'), ['a', 'b;c']);
    assert.deepEqual(list('a\\\\;b'), ['a\\', 'b']);
    assert.deepEqual(list('a, b;c', /[;,]/), ['a', 'b', 'c']);
    assert.deepEqual(list(''), []);
  });

  it('with an unknown escape is malformed', () => assert.throws(() => list('a;\\q'), MALFORMED));
});

describe('a hostile key file', () => {
  for (const line of [
    `a${' '.repeat(900_000)}b`,
    `a${' '.repeat(900_000)}=b`,
    `=${'='.repeat(900_000)}`,
    `[${'['.repeat(900_000)}`,
  ]) {
    it(`with a line of ${JSON.stringify(line.slice(0, 3))}... is judged soon`, () => {
      const start = performance.now();
      try {
        KeyFile.parse(`[core]\n${line}\n`, 'x');
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CONFIG_MALFORMED');
      }
      assert.ok(performance.now() - start < 2000);
    });
  }
});
