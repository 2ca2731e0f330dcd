/** What comes otherwise than it was planned, and changes that are taken back as far as they can be. */
import assert from 'node:assert/strict';
import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { change, imageOf, NO_RULES, placesAt, plan, recorder, write } from './host-files.fixture.ts';
import { copyStep, hostTemplatesOf, removalStep, withStrays } from './index.ts';

const skip = needs('root');

function host(t: TestContext) {
  const root = scratch(t);
  chmodSync(root, 0o755);
  return { root, places: placesAt(root), read: (path: string) => readFileSync(join(root, path), 'utf8') };
}

describe('the record of a deployment', { skip }, () => {
  it('still has a file that was changed between the plan and its removal, and the directory that it is in', async (t) => {
    const { root, places, read } = host(t);
    const first = await change({ places, tree: imageOf({ 'opt/a/f': 'f', 'opt/g': 'g' }), previous: undefined });
    const tree = imageOf({ 'opt/g': 'g' });
    const made = await plan({ places, tree, previous: first.plan.installed });
    writeFileSync(join(root, 'opt/a/f'), 'changed while the service was stopped');
    const strays = new Set([
      ...(await removalStep(made, recorder().log)),
      ...(await copyStep(made, tree, recorder().log)),
    ]);
    assert.deepEqual([...strays], ['/opt/a/f', '/opt/a']);
    const record = withStrays(made.installed, made, strays);
    assert.deepEqual([...record.installedFiles].sort(), ['/opt/a/f', '/opt/g']);
    assert.equal(record.checksums.get('/opt/a/f'), first.plan.installed.checksums.get('/opt/a/f'));
    assert.deepEqual([...record.installedDirectories].sort(), ['/opt', '/opt/a']);
    const { plan: last } = await change({ places, previous: record });
    assert.deepEqual(last.kept, ['/opt/a/f']);
    assert.equal(read('opt/a/f'), 'changed while the service was stopped');
  });

  it('has nothing of a file that came from somebody else between the plan and the copy', async (t) => {
    const { root, places } = host(t);
    const tree = imageOf({ 'opt/f': 'same' });
    const made = await plan({ places, tree, previous: undefined });
    write(root, { 'opt/f': 'same' });
    const strays = new Set(await copyStep(made, tree, recorder().log));
    const record = withStrays(made.installed, made, strays);
    assert.deepEqual([record.installedFiles, [...record.checksums]], [[], []]);
    await change({ places, previous: record });
    assert.ok(existsSync(join(root, 'opt/f')));
  });
});

describe('a change that is taken back', { skip }, () => {
  const OLD = { 'opt/a/f': 'old', 'opt/b/f': 'old', 'opt/c/f': 'old' };
  const NEW = { 'opt/a/f': 'new', 'opt/b/f': 'new', 'opt/c/f': 'new' };

  it('brings back all files but those in a directory that has become unsafe, and says so', async (t) => {
    const { root, places, read } = host(t);
    const first = await change({ places, tree: imageOf(OLD), previous: undefined });
    const second = await change({ places, tree: imageOf(NEW), previous: first.plan.installed });
    chmodSync(join(root, 'opt/b'), 0o777);
    const undo = { places, tree: imageOf(OLD), previous: second.plan.installed, begun: first.plan.installed };
    await assert.rejects(change({ ...undo, before: second.plan.before }), { code: 'HOST_PATH_REFUSED' });
    assert.deepEqual([read('opt/a/f'), read('opt/b/f'), read('opt/c/f')], ['old', 'new', 'old']);
    chmodSync(join(root, 'opt/b'), 0o755);
    await change({ ...undo, before: second.plan.before });
    assert.equal(read('opt/b/f'), 'old');
  });

  it('brings back what lay outside of prefixes that were set later', async (t) => {
    const { root, places, read } = host(t);
    const first = await change({ places, tree: imageOf({ ...OLD, 'etc/x': 'x' }), previous: undefined });
    const bound = placesAt(root, { hostPrefixes: ['/opt'] });
    const second = await change({ places: bound, tree: imageOf(NEW), previous: first.plan.installed });
    assert.equal(existsSync(join(root, 'etc/x')), false);
    const tree = imageOf({ ...OLD, 'etc/x': 'x' });
    const { installed } = second.plan;
    await change({ places: bound, tree, previous: installed, begun: first.plan.installed, before: second.plan.before });
    assert.deepEqual([read('etc/x'), read('opt/a/f')], ['x', 'old']);
  });
});

describe('templates among host files', () => {
  const names = (
    renames: Readonly<Record<string, string>>,
    list: readonly string[],
    values: ReadonlyMap<string, string>,
  ) =>
    hostTemplatesOf(
      imageOf({ 'etc/a': '$X', 'etc/other': '$Y' }),
      { ...NO_RULES, renameFiles: new Map(Object.entries(renames)), installedFilesTemplate: list },
      values,
    ).map(({ file }) => file);

  it('are found by the name that they are renamed to, also through variables', () => {
    const values = new Map([['CONF_DIRECTORY', '/etc']]);
    const found = ['renameFiles', 'exports/hostfs/etc/a'];
    assert.deepEqual(names({ '/etc/a': '$CONF_DIRECTORY/b' }, ['/etc/b'], values), found);
    assert.deepEqual(names({ '/etc/a': '$CONF_DIRECTORY/b' }, ['/etc/a'], values), found);
  });

  it('are found by their names in the image where a renaming has no value yet', () => {
    const renames = { '/etc/a': '/$NOBODY/b', '/etc/other': '/etc/moved' };
    const renaming = ['renameFiles', 'renameFiles'];
    assert.deepEqual(names(renames, ['/etc/a', '/etc/moved'], new Map()), [
      ...renaming,
      'exports/hostfs/etc/a',
      'exports/hostfs/etc/other',
    ]);
  });
});

describe('a host file of a tree of plain files', () => {
  it('is copied from descriptor to descriptor, and read in no other way after the plan', async (t) => {
    const { root, places, read } = host(t);
    write(root, { source: 'content' });
    const tree = imageOf({ 'opt/f': 'content' });
    const made = await plan({ places, tree, previous: undefined });
    const plain = {
      ...tree,
      chunks: () => assert.fail('read piece by piece'),
      withPlainFile<T>(_: string, use: (fd: number) => T): T {
        const fd = openSync(join(root, 'source'), 'r');
        try {
          return use(fd);
        } finally {
          closeSync(fd);
        }
      },
    };
    await copyStep(made, plain, recorder().log);
    assert.equal(read('opt/f'), 'content');
  });
});
