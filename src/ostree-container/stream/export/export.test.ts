import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { filesOf } from '../../../../test/support/ostree-vectors.ts';
import { objectsOf, type Repository } from '../../../ostree/index.ts';
import { SKELETON } from '../layout.ts';
import { commitTree, exported, type MadeTree, newRepository, SIGNAL, transact } from '../stream.fixture.ts';
import { type Piece, piecesOf } from '../tampering.fixture.ts';
import { StreamWriter } from './stream-writer.ts';
import { contentTargets } from './tree-steps.ts';

const DETACHED = new Uint8Array();

async function exportOf(t: TestContext, tree: MadeTree, detached?: Uint8Array) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, tree, detached);
  const stream = await exported(repository, commit);
  return { repository, commit, stream, pieces: await piecesOf(stream) };
}

const isObject = ({ entry }: Piece): boolean =>
  entry.path.startsWith('sysroot/ostree/repo/objects/') && entry.type !== 'directory';
/** `TYPE PATH`, for what is not of the repository. */
const outside = (pieces: readonly Piece[]): string[] =>
  pieces.filter(({ entry }) => !entry.path.startsWith('sysroot')).map(({ entry }) => `${entry.type} ${entry.path}`);
const extensions = (pieces: readonly Piece[]): string[] =>
  pieces.filter(isObject).map(({ entry }) => entry.path.replace(/^.*?\./, ''));
const at = (pieces: readonly Piece[], path: string): Piece =>
  pieces.find(({ entry }) => entry.path === path) ?? assert.fail(`no ${path}`);

const TREE: MadeTree = {
  usr: {
    inside: {
      bin: { inside: { a: { content: 'a', mode: 0o4755 }, b: { target: '..//x' } } },
      etc: { inside: { conf: { content: 'conf' }, none: { content: '' } }, mode: 0o700, uid: 7 },
    },
  },
};

describe('an exported commit', () => {
  it('begins with its root, the skeleton of the repository, the commit and its detached metadata', async (t) => {
    const { pieces, commit } = await exportOf(t, TREE, DETACHED);
    const paths = pieces.map(({ entry }) => entry.path);
    assert.equal(paths[0], '.');
    assert.deepEqual(paths.slice(1, 1 + SKELETON.length), SKELETON);
    assert.equal(SKELETON.length, 4 + 256 + 8);
    const [config, first, second, third] = pieces.slice(1 + SKELETON.length);
    assert.equal(config?.data.toString(), '[core]\nrepo_version=1\nmode=bare-split-xattrs\n');
    const object = `sysroot/ostree/repo/objects/${commit.slice(0, 2)}/${commit.slice(2)}`;
    assert.deepEqual([first?.entry.path, second?.entry.path], [`${object}.commit`, `${object}.commitmeta`]);
    assert.ok(third?.entry.path.endsWith('.dirmeta'));
  });

  it('has the root as ./ in its first header, and no slash behind any directory', async (t) => {
    const { stream } = await exportOf(t, TREE);
    assert.equal(stream.toString('latin1', 0, 8), './\0\0\0\0\0\0');
    assert.equal(stream.toString('latin1', 512, 520), 'sysroot\0');
  });

  it('has the tree depth first, usr/etc as etc, and var/tmp at its end', async (t) => {
    const { pieces } = await exportOf(t, TREE);
    assert.deepEqual(outside(pieces), [
      'directory .',
      'directory usr',
      'directory usr/bin',
      'hardlink usr/bin/a',
      'hardlink usr/bin/b',
      'directory etc',
      'hardlink etc/conf',
      'file etc/none',
      'directory var/tmp',
    ]);
    const { entry } = at(pieces, 'etc');
    assert.deepEqual([entry.mode, entry.uid], [0o700, 7]);
    assert.equal(at(pieces, 'var/tmp').entry.mode, 0o1777);
  });

  it('has each content behind its attributes, which come once, and before the link to it', async (t) => {
    const { pieces } = await exportOf(t, { a: { content: 'a', mode: 0o4755, uid: 5 }, b: { target: '..//x' } });
    assert.deepEqual(extensions(pieces), [
      ...['commit', 'dirmeta', 'dirtree', 'file-xattrs', 'file-xattrs-link', 'file', 'file-xattrs-link', 'file'],
    ]);
    const [list, link, file] = pieces.filter(isObject).slice(3);
    assert.ok(list?.entry.path.includes('/e3/b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.'));
    assert.deepEqual([list?.data.length, link?.entry.linkTarget], [0, list?.entry.path]);
    assert.deepEqual([file?.entry.mode, file?.entry.uid], [0o4755, 5]);
    const { entry } = at(pieces, 'a');
    assert.deepEqual([entry.linkTarget, entry.mode, entry.uid], [file?.entry.path, 0o4755, 5]);
    assert.equal(pieces.find(({ entry: { type } }) => type === 'symlink')?.entry.linkTarget, '..//x');
  });

  it('tells a container runtime of all attributes but labels', async (t) => {
    const xattrs = [
      ['security.capability', '\x01\0\0\x02'],
      ['security.selinux', 'label\0'],
    ] as const;
    const { pieces } = await exportOf(t, {
      a: { content: 'a', xattrs },
      none: { content: '', xattrs },
      b: { content: 'b' },
    });
    const told = pieces.filter(({ entry }) => entry.xattrs.length > 0);
    assert.deepEqual(
      told.map(({ entry }) => entry.xattrs.map(([name]) => name)),
      Array.from({ length: 3 }, () => ['security.capability']),
    );
    assert.ok(told.some(({ entry }) => entry.path === 'none'));
    const list = pieces.find(({ entry, data }) => entry.path.endsWith('.file-xattrs') && data.length > 0);
    assert.ok(list?.data.includes('security.selinux\0'));
  });

  it('has the objects below its own sysroot, and none of its paths', async (t) => {
    const inside = { ostree: { inside: { repo: { inside: { config: { content: 'not ours' } } } } } };
    const { pieces } = await exportOf(t, { sysroot: { inside, mode: 0o711 } });
    assert.deepEqual(outside(pieces), ['directory .', 'directory var/tmp']);
    assert.equal(pieces.filter(({ entry }) => entry.path === 'sysroot').length, 1);
    assert.equal(extensions(pieces).filter((extension) => extension === 'dirtree').length, 4);
    assert.equal(extensions(pieces).filter((extension) => extension === 'dirmeta').length, 2);
    assert.ok(pieces.some(({ data }) => data.toString() === 'not ours'));
  });

  it('has no place for an etc beside usr/etc, and for what is called sysroot without being a directory', async (t) => {
    const { pieces } = await exportOf(t, {
      etc: { target: 'usr/etc' },
      sysroot: { target: '/x' },
      usr: { inside: { etc: { inside: { a: { content: 'a' } } } } },
      var: { inside: { tmp: { target: '/tmp' } } },
    });
    const wanted = [
      'directory .',
      'directory usr',
      'directory etc',
      'hardlink etc/a',
      'directory var',
      'hardlink var/tmp',
    ];
    assert.deepEqual(outside(pieces), wanted);
  });

  it('has every object once, however often the tree has it', async (t) => {
    const inside = { a: { content: 'same' }, b: { content: 'same' }, none: { content: '' }, none2: { content: '' } };
    const { pieces } = await exportOf(t, { x: { inside }, y: { inside }, 'a-file': { content: 'same' } });
    const objects = pieces.filter(isObject).map(({ entry }) => entry.path);
    assert.equal(new Set(objects).size, objects.length);
    assert.equal(outside(pieces).filter((line) => line.startsWith('hardlink')).length, 5);
  });

  it('is the same bytes each time, and out of each kind of repository', async (t) => {
    const { repository, commit, stream } = await exportOf(t, TREE);
    assert.deepEqual(await exported(repository, commit), stream);
    const other = newRepository(t, 'bare-user');
    assert.equal(await commitTree(other, TREE), commit);
    assert.deepEqual(await exported(other, commit), stream);
  });

  it('is refused when one of its objects is damaged or missing, or the commit is partial', async (t) => {
    for (const [ending, code] of [
      ['.filez', /OBJECT_(CORRUPT|MALFORMED)/],
      ['.dirtree', /OBJECT_CORRUPT/],
      ['.dirmeta', /OBJECT_CORRUPT/],
    ] as const) {
      const { repository, commit } = await exportOf(t, { a: { content: 'content' } });
      const [name = ''] = filesOf(repository.path, ending);
      writeFileSync(join(repository.path, name), ending === '.filez' ? damagedFile(repository, name) : 'other');
      await assert.rejects(exported(repository, commit), { code }, ending);
    }
    const { repository, commit } = await exportOf(t, {});
    await transact(repository, (transaction) => transaction.beginPartial(commit));
    await assert.rejects(exported(repository, commit), { code: 'COMMIT_PARTIAL' });
  });
});

/** Another owner in the header. */
function damagedFile(repository: Repository, name: string): Buffer {
  const bytes = readFileSync(join(repository.path, name));
  bytes[19] = 1;
  return bytes;
}

describe('the pieces of a stream', () => {
  it('make a first layer with metadata alone, and further layers with contents and their links', async (t) => {
    const repository = newRepository(t);
    const commit = await commitTree(repository, TREE);
    const reader = objectsOf(repository);
    const targets = contentTargets(reader, reader.commit(commit).rootTree);
    assert.deepEqual([...targets.values()].flat().sort(), ['etc/conf', 'etc/none', 'usr/bin/a', 'usr/bin/b']);
    const layer = async (work: (writer: StreamWriter) => Promise<void>): Promise<Piece[]> => {
      const chunks: Buffer[] = [];
      const writer = new StreamWriter(reader, (chunk) => void chunks.push(Buffer.from(chunk)), SIGNAL);
      await work(writer);
      await writer.finish();
      return piecesOf(Buffer.concat(chunks));
    };
    const base = await layer((writer) => writer.commit(commit, 'apart'));
    assert.deepEqual([...new Set(extensions(base))].sort(), ['commit', 'dirmeta', 'dirtree']);
    assert.deepEqual(
      outside(base).filter((line) => !line.startsWith('directory')),
      [],
    );
    const component = await layer(async (writer) => {
      await writer.skeleton();
      for (const [checksum, paths] of [...targets].sort()) await writer.contentGroup(checksum, paths);
    });
    assert.equal(component[0]?.entry.path, 'sysroot');
    assert.equal(extensions(component).filter((extension) => extension === 'file').length, 4);
    assert.equal(outside(component).length, 4);
  });
});
