/** Layers applied by us are what umoci unpacks, and each layer is the commit that ostree makes of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { TarWriter, type TarWriterEntry } from '../../src/tar/index.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { importInto, layeredFacts, writeLayout } from './layered-image.ts';

const umoci = { skip: needs('umoci', 'ostree', 'tar', 'root') };

type Made = Partial<TarWriterEntry> & { readonly path: string; readonly text?: string };

/** One byte of CAP_NET_RAW, effective: the form that the kernel accepts. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

const file = (path: string, text: string, more: Partial<TarWriterEntry> = {}): Made => ({ path, text, ...more });
const directory = (path: string, mode = 0o755, more: Partial<TarWriterEntry> = {}): Made => ({
  path,
  type: 'directory',
  mode,
  ...more,
});
const hardlink = (path: string, linkTarget: string): Made => ({ path, type: 'hardlink', linkTarget });
const symlink = (path: string, linkTarget: string): Made => ({ path, type: 'symlink', mode: 0o777, linkTarget });
const whiteout = (path: string): Made => ({ path, text: '', mode: 0 });

async function writeTar(path: string, entries: readonly Made[]): Promise<string> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(chunk));
  for (const { text, ...entry } of entries) {
    const data = text === undefined ? undefined : Buffer.from(text);
    await writer.add({ type: 'file', mode: 0o644, uid: 0, gid: 0, ...entry }, data);
  }
  await writer.finish();
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

/** Everything that a layer may do to those below, each directory described. */
const LAYERS: readonly (readonly Made[])[] = [
  [
    directory('./', 0o755),
    directory('d', 0o2750, { uid: 5, gid: 6 }),
    file('d/a', 'one'),
    file('d/b', 'two', { mode: 0o4755, uid: 7 }),
    directory('d/sub'),
    file('d/sub/x', 'deep'),
    directory('opaque', 0o711),
    file('opaque/old', 'old'),
    directory('opaque/dir'),
    file('opaque/dir/old', 'old'),
    file('type1', 'a file'),
    directory('type2'),
    file('type2/x', 'x'),
    symlink('type3', 'd'),
    directory('type4'),
    file('ping', 'program', { mode: 0o755, xattrs: [['security.capability', CAPABILITY]] }),
    hardlink('ping-too', 'ping'),
    hardlink('link-of-link', './ping-too'),
    file('again', 'before'),
    directory('usr'),
    directory('usr/lib'),
    symlink('lib', 'usr/lib'),
    directory('é ☃'),
    file('é ☃/ü', 'names', { xattrs: [['user.note', Buffer.from('n')]] }),
  ],
  [
    whiteout('d/.wh.a'),
    whiteout('d/.wh.b'),
    file('d/b', 'new'),
    whiteout('d/.wh.sub'),
    directory('opaque', 0o700, { uid: 1 }),
    whiteout('opaque/.wh..wh..opq'),
    file('opaque/new', 'new'),
    directory('opaque/dir'),
    file('opaque/dir/new', 'new'),
    directory('type1', 0o1777),
    file('type1/inside', 'x'),
    file('type2', 'now a file'),
    directory('type3', 0o700),
    file('type3/x', 'no link any more'),
    symlink('type4', 'type3'),
    whiteout('.wh.absent'),
    hardlink('d/ping', 'ping'),
    file('again', 'after', { mode: 0o600 }),
  ],
  [
    directory('d', 0o755),
    hardlink('d/ping-3', '/d/ping'),
    whiteout('.wh.ping-too'),
    directory('type2'),
    whiteout('.wh.link-of-link'),
    file('ping', 'replaced'),
    file('lib/through', 'the link'),
    file('made/on/the/way', 'x'),
  ],
];

async function madeLayers(folder: string): Promise<readonly string[]> {
  return Promise.all(LAYERS.map((entries, i) => writeTar(join(folder, `${i}.tar`), entries)));
}

/** The tree that umoci makes of layers, and ours, checked out by ostree. */
async function bothRoots(t: TestContext, tars: (folder: string) => Promise<readonly string[]>) {
  const folder = scratch(t);
  const made = await tars(folder);
  const [layout, theirs, repo, ours] = ['layout', 'theirs', 'repo', 'ours'].map((name) => join(folder, name));
  assert.ok(layout && theirs && repo && ours);
  writeLayout(layout, made);
  await must('umoci', ['raw', 'unpack', `--image=${layout}:image`, theirs]);
  const image = await importInto(repo, made);
  await must('ostree', ['fsck', '--quiet', `--repo=${repo}`]);
  await must('ostree', ['checkout', `--repo=${repo}`, 'image', ours]);
  return { folder, made, repo, image, ours: layeredFacts(ours), theirs: layeredFacts(theirs) };
}

describe('layers applied on metadata', () => {
  it('are what umoci unpacks: whiteouts, types, links, attributes', umoci, async (t) => {
    const { ours, theirs } = await bothRoots(t, madeLayers);
    assert.deepEqual(ours, theirs);
    assert.ok(ours['d/ping-3'] !== undefined && ours['usr/lib/through'] !== undefined);
    assert.equal(ours['ping-too'], undefined);
  });
  it(
    'are what umoci unpacks when GNU tar made them: sparse files, long names, devices, twice the same',
    umoci,
    async (t) => {
      const { ours, theirs, image } = await bothRoots(t, gnuLayers);
      assert.deepEqual(ours, theirs);
      assert.deepEqual(
        image.layers[0]?.skipped.map(({ path, type }) => [path, type]),
        [
          ['./dev/fifo', 'fifo'],
          ['./dev/null', 'character'],
        ],
      );
      assert.ok(Object.keys(ours).some((path) => path.includes('n'.repeat(200))));
    },
  );
  it('are what umoci unpacks when podman built them: its whiteouts, a device, capabilities, a sparse file', {
    skip: needs('umoci', 'ostree', 'tar', 'root', 'podman', 'setfattr'),
  }, async (t) => {
    const { ours, theirs, image } = await bothRoots(t, podmanLayers);
    assert.deepEqual(ours, theirs);
    assert.equal(image.layers.length, 2);
    assert.deepEqual([ours['usr/gone'], ours['usr/doc/old']], [undefined, undefined]);
    assert.match(`${ours['etc/link']?.mode}`, /^10/, 'a file in place of the link');
    assert.match(`${ours['usr/ping']?.xattrs}`, /^security\.capability=01/);
    assert.ok(image.layers[0]?.skipped.some(({ type }) => type === 'block'));
  });
  it('are the commits that ostree makes of their archives, whiteouts as they are', umoci, async (t) => {
    const folder = scratch(t);
    // A link to a link is more than ostree understands, and links to files below are nothing to it.
    const [first = [], second = []] = LAYERS.map((entries) =>
      entries.filter(({ path }) => !/link-of|d.ping/.test(path)),
    );
    const repo = join(folder, 'repo');
    const root = directory('./', 0o755);
    const tars = [
      await writeTar(join(folder, '0.tar'), first),
      await writeTar(join(folder, '1.tar'), [root, ...second]),
    ];
    await importInto(repo, tars);
    for (const [i, tar] of tars.entries()) {
      const words = ['commit', `--repo=${repo}`, '--orphan', '--tar-autocreate-parents', `--tree=tar=${tar}`];
      const theirs = (await must('ostree', words)).stdout.trim();
      assert.equal(await contentOf(repo, `layer/${i}`), await contentOf(repo, theirs));
    }
  });
  it('have the names and contents of ostree with union and whiteouts', umoci, async (t) => {
    const folder = scratch(t);
    const tars = await unionLayers(folder);
    const repo = join(folder, 'repo');
    await importInto(repo, tars);
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    await must('ostree', ['checkout', '-U', `--repo=${repo}`, 'image', ours]);
    for (const tar of tars) {
      const words = ['commit', `--repo=${repo}`, '--orphan', '--tar-autocreate-parents', `--tree=tar=${tar}`];
      const commit = (await must('ostree', words)).stdout.trim();
      await must('ostree', ['checkout', '-U', '--union', '--whiteouts', `--repo=${repo}`, commit, theirs]);
    }
    await must('diff', ['-r', '--no-dereference', ours, theirs]);
  });
});

async function contentOf(repo: string, revision: string): Promise<string> {
  return (await must('ostree', ['ls', `--repo=${repo}`, '-R', '-C', '-X', revision])).stdout;
}

/** Without links across layers and without directories in the place of links, which ostree refuses. */
function unionLayers(folder: string): Promise<readonly string[]> {
  const layers = [
    [file('usr/a', '1'), file('usr/etc/b', '1'), file('usr/d/x', '1'), file('usr/o/x', '1'), symlink('usr/l', 'a')],
    [
      whiteout('usr/.wh.a'),
      file('usr/a', '2'),
      whiteout('usr/d/.wh.x'),
      whiteout('usr/o/.wh..wh..opq'),
      file('usr/o/y', '2'),
    ],
    [whiteout('usr/etc/.wh.b'), file('usr/l', 'file'), file('usr/new/deep/z', '3'), whiteout('usr/.wh.d')],
  ];
  return Promise.all(layers.map((entries, i) => writeTar(join(folder, `union-${i}.tar`), entries)));
}

/** A tree on the disk, packed twice by GNU tar with a change between. */
async function gnuLayers(folder: string): Promise<readonly string[]> {
  const at = join(folder, 'tree');
  mkdirSync(join(at, 'dev'), { recursive: true });
  const long = join(at, 'n'.repeat(200), 'm'.repeat(100));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, 'file'), 'far away');
  writeFileSync(join(at, 'sparse'), 'begin');
  truncateSync(join(at, 'sparse'), 7 * 2 ** 20);
  writeFileSync(join(at, 'sparse'), 'end', { flag: 'a' });
  writeFileSync(join(at, 'owned'), 'x');
  chownSync(join(at, 'owned'), 100_000, 100_001);
  chmodSync(join(at, 'owned'), 0o6711);
  linkSync(join(at, 'owned'), join(at, 'same'));
  symlinkSync('/absolute/./target//', join(at, 'link'));
  lutimesSync(join(at, 'link'), 5, 5);
  execFileSync('setfattr', ['-n', 'security.capability', '-v', `0x${CAPABILITY.toString('hex')}`, join(at, 'owned')]);
  execFileSync('mknod', [join(at, 'dev/null'), 'c', '1', '3']);
  execFileSync('mkfifo', [join(at, 'dev/fifo')]);
  const pack = async (name: string, ...words: readonly string[]): Promise<string> => {
    const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--sparse', '--sort=name', '-C', at];
    await must('tar', [...options, '-cf', join(folder, name), ...words]);
    return join(folder, name);
  };
  const first = await pack('first.tar', '.');
  rmSync(join(at, 'link'));
  mkdirSync(join(at, 'link'));
  writeFileSync(join(at, 'link/now'), 'a directory');
  writeFileSync(join(at, 'owned'), 'changed');
  writeFileSync(join(at, '.wh.same'), '');
  // Each name twice: the last one counts.
  const second = await pack('second.tar', '--hard-dereference', './link', './owned', './.wh.same', './link', './owned');
  return [first, second];
}

/** An image of two layers, the second of which podman has found out by itself. */
async function podmanLayers(folder: string): Promise<readonly string[]> {
  const tree = join(folder, 'tree');
  for (const path of ['dev', 'etc', 'usr/doc', 'usr/gone/deep']) mkdirSync(join(tree, path), { recursive: true });
  execFileSync('mknod', [join(tree, 'dev/loop7'), 'b', '7', '7']);
  for (const path of ['usr/ping', 'usr/doc/old', 'usr/gone/deep/file']) writeFileSync(join(tree, path), path);
  execFileSync('setfattr', [
    '-n',
    'security.capability',
    '-v',
    `0x${CAPABILITY.toString('hex')}`,
    join(tree, 'usr/ping'),
  ]);
  writeFileSync(join(tree, 'etc/sparse'), '');
  symlinkSync('../usr', join(tree, 'etc/link'));
  await must('tar', ['--xattrs', '--xattrs-include=*', '-C', tree, '-cf', join(folder, 'base.tar'), '.']);
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver=vfs'];
  const podman = async (...words: string[]) => (await must('podman', [...store, ...words])).stdout.trim();
  await podman('import', '-q', join(folder, 'base.tar'), 'localhost/base:1');
  const container = await podman('create', 'localhost/base:1', '/none');
  const at = await podman('mount', container);
  for (const path of ['usr/gone', 'usr/doc', 'etc/link']) rmSync(join(at, path), { recursive: true });
  mkdirSync(join(at, 'usr/doc'), { mode: 0o700 });
  writeFileSync(join(at, 'etc/link'), 'x');
  writeFileSync(join(at, 'etc/sparse'), 'begin');
  truncateSync(join(at, 'etc/sparse'), 7 * 2 ** 20);
  chownSync(join(at, 'etc/sparse'), 5, 6);
  await podman('umount', container);
  await podman('commit', '-q', container, 'localhost/built:1');
  await podman('save', '-q', '-o', join(folder, 'built.tar'), 'localhost/built:1');
  await must('tar', ['-C', folder, '-xf', join(folder, 'built.tar')]);
  const [{ Layers: layers }] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  return layers.map((name: string) => join(folder, name));
}
