import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Checksum, objectsOf } from '../../ostree/index.ts';
import { componentsOfCommit, contentSizes } from './assign.ts';
import { type Chunk, packLayers } from './chunks.ts';
import { ALWAYS_CHANGING } from './components.ts';
import { commitHistory, commitTree, type MadeTree, newRepository, SIGNAL, treeOf } from './packing.fixture.ts';
import { COMPONENTS_ANNOTATION, priorBuildOf } from './prior-build.ts';

type Test = Parameters<typeof newRepository>[0];
type Files = Parameters<typeof treeOf>[0];

const MIB = 2 ** 20;
const bytes = (size: number, seed: string): Uint8Array => Buffer.alloc(size, `${seed}-`);

async function partsOf(t: Test, ...history: readonly MadeTree[]) {
  const repository = newRepository(t);
  const reader = objectsOf(repository);
  const commit = await commitHistory(repository, history);
  const parts = await componentsOfCommit(reader, commit, SIGNAL);
  const about = (identifier: string) => parts.components.find((one) => one.identifier === identifier);
  return { ...parts, reader, commit, about, sizes: contentSizes(reader, commit) };
}

/** A system of dpkg: each package has one file of its name, its version inside. */
function debian(versions: Readonly<Record<string, string>>, more: Files = {}): MadeTree {
  const status = Object.entries(versions).map(
    ([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n${name.startsWith('lib') ? 'Source: libs\n' : ''}\n`,
  );
  const files: Record<string, Files[string]> = { 'usr/lib/sysimage/dpkg/status': status.join('') };
  for (const [name, version] of Object.entries(versions)) {
    files[`usr/share/${name}`] = `${name} ${version}`;
    files[`usr/lib/sysimage/dpkg/info/${name}.list`] = `/.\n/usr\n/usr/share\n/usr/share/${name}\n`;
  }
  return treeOf({ ...files, ...more });
}

describe('the components of a commit', () => {
  it('have every content object of it exactly once, and their sizes add up', async (t) => {
    const tree = debian({ a: '1', libb: '2' }, { 'usr/link': { target: 'share/a' }, 'usr/copy': 'a 1' });
    const { components, objects, sizes } = await partsOf(t, tree);
    assert.deepEqual([...objects.keys()].sort(), [...sizes.keys()].sort());
    const total = components.reduce((sum, { size }) => sum + size, 0);
    assert.equal(
      total,
      [...sizes.values()].reduce((sum, size) => sum + size, 0),
    );
    for (const identifier of objects.values()) assert.ok(components.some((one) => one.identifier === identifier));
  });

  it('are its packages, with their sources, and what belongs to none, which always changes', async (t) => {
    const { components, databases } = await partsOf(t, debian({ a: '1', libb: '2' }, { 'usr/etc/own': 'x' }));
    assert.deepEqual(databases, [{ kind: 'dpkg', path: '/usr/lib/sysimage/dpkg' }]);
    assert.deepEqual(
      components.map(({ identifier, name, srcid, changeFrequency }) => [identifier, name, srcid, changeFrequency]),
      [
        ['a_1_all', 'a', 'a', 0],
        ['libb_2_all', 'libb', 'libs', 0],
        ['unpackaged', 'unpackaged', 'unpackaged', ALWAYS_CHANGING],
      ],
    );
  });

  it('are parts of their own for large things that belong to no package, but never for the database', async (t) => {
    const large = { 'opt/model': bytes(9 * MIB, 'model'), 'usr/lib/sysimage/dpkg/available': bytes(9 * MIB, 'db') };
    const { components, objects, about } = await partsOf(t, debian({ a: '1' }, large));
    assert.deepEqual(
      components.map(({ identifier }) => identifier),
      ['/opt/model', 'a_1_all', 'unpackaged'],
    );
    assert.equal(about('/opt/model')?.size, 9 * MIB);
    assert.ok((about('unpackaged')?.size ?? 0) > 9 * MIB);
    assert.equal(new Set(objects.values()).size, 3);
  });

  it('give a file that two packages have to the one that comes first by name', async (t) => {
    const info = 'usr/lib/sysimage/dpkg/info';
    const shared = {
      'usr/LICENCE': 'text',
      [`${info}/b.list`]: '/usr/LICENCE\n',
      [`${info}/a.list`]: '/usr/LICENCE\n',
    };
    const { objects, reader, commit } = await partsOf(t, debian({ b: '1', a: '1' }, shared));
    const licence = fileAt(reader, commit, ['usr', 'LICENCE']);
    assert.equal(objects.get(licence), 'a_1_all');
  });

  it('keep the bytecode of a Python module with the module', async (t) => {
    const list = { 'usr/lib/sysimage/dpkg/info/py.list': '/usr/lib/python/x.py\n' };
    const python = { 'usr/lib/python/x.py': 'x', 'usr/lib/python/__pycache__/x.cpython-311.pyc': 'compiled' };
    const { objects, reader, commit } = await partsOf(t, debian({ py: '1' }, { ...list, ...python }));
    const compiled = fileAt(reader, commit, ['usr', 'lib', 'python', '__pycache__', 'x.cpython-311.pyc']);
    assert.equal(objects.get(compiled), 'py_1_all');
  });

  it('are parts of the tree where there is no database, and the history tells how often they changed', async (t) => {
    const quiet = bytes(5 * MIB, 'quiet');
    const trees = ['1', '2', '2', '3'].map((version) =>
      treeOf({ 'usr/quiet': quiet, 'usr/busy': bytes(5 * MIB, version), 'usr/small': 'x' }),
    );
    const { components } = await partsOf(t, ...trees);
    assert.deepEqual(
      components.map(({ identifier, changeFrequency }) => [identifier, changeFrequency]),
      [
        ['/usr', 0],
        ['/usr/busy', 2],
        ['/usr/quiet', 0],
      ],
    );
  });

  it('are none for a commit without content', async (t) => {
    const parts = await partsOf(t, { 'empty-folder': { inside: {} } });
    assert.deepEqual(parts.components, []);
    assert.deepEqual(packLayers(parts), []);
  });

  it('tell which database was not read', async (t) => {
    const { unread, components } = await partsOf(t, treeOf({ 'var/lib/rpm/Packages': 'bdb' }));
    assert.deepEqual(
      unread.map(({ path }) => path),
      ['/var/lib/rpm/Packages'],
    );
    assert.equal(components.length, 1);
  });

  it('are not looked for once the caller has given up', async (t) => {
    const repository = newRepository(t);
    const commit = await commitTree(repository, debian({ a: '1' }));
    const signal = AbortSignal.abort(new Error('given up'));
    await assert.rejects(componentsOfCommit(objectsOf(repository), commit, signal), /given up/);
  });
});

describe('how often a package changes', () => {
  /** A changelog with an entry at each of these days of 2023, and one package that has it. */
  const changelog = (...days: readonly string[]): string =>
    days.map((day) => `p (1) x; urgency=low\n\n  * y\n\n -- A <a@b.org>  ${day} 2023 10:00:00 +0000\n\n`).join('');

  it('is the number of its changes in the year before the newest of all', async (t) => {
    const { gzipSync } = await import('node:zlib');
    const { about } = await partsOf(
      t,
      debian(
        { busy: '1', quiet: '1', future: '1' },
        {
          'usr/share/doc/busy/changelog.gz': gzipSync(changelog('10 Nov', '01 Nov', '01 Oct')),
          'usr/share/doc/quiet/changelog.gz': gzipSync(changelog('02 Jan').replaceAll('2023', '2019')),
          'usr/share/doc/future/changelog.gz': gzipSync(changelog('02 Jan').replaceAll('2023', '2093')),
        },
      ),
    );
    // The commits of these tests are of November 2023: a change seventy years later is a slip of the pen.
    assert.deepEqual(
      ['busy_1_all', 'quiet_1_all'].map((identifier) => about(identifier)?.changeFrequency),
      [3, 0],
    );
    assert.ok((about('busy_1_all')?.changeTimeOffset ?? 0) > 4 * 365 * 86_400);
    assert.equal(about('quiet_1_all')?.changeTimeOffset, 0);
  });
});

describe('an update of the tree', () => {
  const names = Array.from({ length: 80 }, (_, i) => `package${i}`);
  const versions = Object.fromEntries(names.map((name) => [name, '1.0']));
  const builtAs = (layers: readonly Chunk[]) =>
    priorBuildOf({
      layers: [{}, ...layers.map(({ components }) => ({ annotations: { [COMPONENTS_ANNOTATION]: components } }))],
    });

  /** Layers of the second tree with the first as prior build, and numbers of those with other objects than before. */
  async function updated(t: Test, before: MadeTree, after: MadeTree) {
    const prior = packLayers(await partsOf(t, before), { maxLayers: 20 });
    const layers = packLayers(await partsOf(t, after), { maxLayers: 20, priorBuild: builtAs(prior) });
    const changed = layers.flatMap(({ objects }, i) => (same(objects, prior[i]?.objects) ? [] : [i]));
    return { prior, layers, changed };
  }

  it('of one package changes its layer and the one of the database, and no other', async (t) => {
    const { prior, layers, changed } = await updated(t, debian(versions), debian({ ...versions, package7: '1.1' }));
    assert.ok(prior.length > 5);
    assert.equal(changed.length, 2);
    const of = (name: string): number => layers.findIndex(({ components }) => components.split(',').includes(name));
    assert.deepEqual(
      changed,
      [of('package7'), of('unpackaged')].sort((a, b) => a - b),
    );
  });

  it('that changes nothing gives the same layers', async (t) => {
    const { prior, layers } = await updated(t, debian(versions), debian(versions));
    assert.deepEqual(layers, prior);
  });

  it('that brings a package puts it into the layer that was reserved', async (t) => {
    const { prior, layers, changed } = await updated(t, debian(versions), debian({ ...versions, new: '1' }));
    assert.equal(layers[prior.length - 1]?.components, 'new');
    assert.equal(prior.at(-1)?.components, '');
    assert.equal(changed.length, 2 + layers.length - prior.length, String(changed));
  });
});

function same(a: readonly Checksum[], b: readonly Checksum[] | undefined): boolean {
  return a.length === b?.length && a.every((checksum, i) => checksum === b[i]);
}

function fileAt(reader: ReturnType<typeof objectsOf>, commit: Checksum, path: readonly string[]): Checksum {
  let tree = reader.dirTree(reader.commit(commit).rootTree);
  for (const name of path.slice(0, -1)) {
    const below = tree.directories.find((directory) => directory.name === name);
    if (below === undefined) throw new Error(`no ${name}`);
    tree = reader.dirTree(below.tree);
  }
  const file = tree.files.find(({ name }) => name === path.at(-1));
  if (file === undefined) throw new Error(`no ${path.at(-1)}`);
  return file.checksum;
}
