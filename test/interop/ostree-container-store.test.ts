/** The layered store of images, judged by ostree, umoci, podman and a registry that counts. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { imageOf, newStore, TREE } from '../../src/ostree-container/store/store.fixture.ts';
import { needs } from '../support/needs.ts';
import type { SampleEntry } from '../support/oci-image.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { fsck, oracle, pathsOf, SHELL, stored, unverified } from './store-image.ts';

const peers = { skip: needs('ostree', 'root') };

describe('an image in the store, for the program ostree', peers, () => {
  it('is sound, and holds what a checkout of its layers one over the other holds', async (t) => {
    const mapped = (etc: string): readonly (readonly SampleEntry[])[] => [
      [
        { path: `${etc}/new`, content: 'new' },
        { path: `${etc}/.wh.config`, content: '', mode: 0 },
        { path: 'usr/lib/one', content: 'changed' },
        { path: 'usr/share/doc/readme', content: 'text' },
        { path: 'usr/bin/link', type: 'symlink', linkTarget: 'tool' },
      ],
      [
        { path: 'usr/share/doc/.wh..wh..opq', content: '' },
        { path: 'usr/share/doc/other', content: 'other' },
        { path: 'usr/lib/.wh.one', content: '' },
        { path: 'usr/bin/again', type: 'hardlink', linkTarget: 'usr/share/doc/other' },
      ],
    ];
    const derived = mapped('etc');
    const { name, commit, from } = await imageOf(t, { components: 2, derived });
    const repo = newStore(t);
    const pulled = await stored(repo.path, unverified(name));
    assert.equal(pulled.baseCommit, commit);
    await fsck(repo.path);
    const oracleRepo = join(scratch(t), 'oracle-repo');
    await must('ostree', ['init', `--repo=${oracleRepo}`, '--mode=bare-user']);
    await must('ostree', ['pull-local', `--repo=${oracleRepo}`, from.path, commit]);
    const expected = await oracle(scratch(t), oracleRepo, commit, mapped('usr/etc'));
    assert.deepEqual(await pathsOf(repo.path, pulled.commit), expected);
  });

  it('has the metadata that it shows, and its base commit bit for bit', async (t) => {
    const { name, commit, raw } = await imageOf(t, { components: 1 });
    const repo = newStore(t, 'archive');
    const pulled = await stored(repo.path, unverified(name));
    const show = ['show', `--repo=${repo.path}`, '--print-metadata-key=ostree.manifest-digest', pulled.commit];
    assert.equal((await must('ostree', show)).stdout.trim(), `'${raw.digest}'`);
    await fsck(repo.path);
    const pull = join(scratch(t), 'other');
    await must('ostree', ['init', `--repo=${pull}`, '--mode=bare-user']);
    await must('ostree', ['pull-local', `--repo=${pull}`, repo.path, commit, pulled.commit]);
  });

  it('leaves nothing when it is removed, pruned and its objects are deleted', async (t) => {
    const { name } = await imageOf(t, { components: 1, derived: [[{ path: 'usr/x', content: 'x' }]] });
    const repo = newStore(t);
    await stored(repo.path, unverified(name));
    const words = ['container', 'image', 'remove', '--repo', repo.path, name, 'dir:/nowhere', '--json'];
    const ended = await runOstreeContainer(words);
    const { removed, missing, droppedLayers } = JSON.parse(ended.stdout) as Record<string, readonly string[]>;
    assert.deepEqual([ended.status, removed, missing, droppedLayers?.length], [1, [name], ['dir:/nowhere'], 3]);
    assert.equal((await must('ostree', ['refs', `--repo=${repo.path}`])).stdout, '');
    await must('ostree', ['prune', `--repo=${repo.path}`, '--refs-only']);
    const { stdout } = await must('find', [join(repo.path, 'objects'), '-type', 'f']);
    assert.equal(stdout, '');
  });
});

describe('an image that a tool has built on a commit', () => {
  it('umoci insert: files appear, and are taken away', { skip: needs('umoci', 'ostree', 'root') }, async (t) => {
    const { name } = await imageOf(t);
    const layout = name.slice('oci:'.length);
    const file = join(scratch(t), 'file');
    writeFileSync(file, 'x'.repeat(512)); // umoci 0.4 leaves out the padding of the last file
    await must('skopeo', ['--insecure-policy', 'copy', '-q', name, `oci:${layout}:one`]);
    await must('umoci', ['insert', '--image', `${layout}:one`, file, '/etc/inserted']);
    await must('umoci', ['insert', '--image', `${layout}:one`, '--whiteout', '/usr/lib/one']);
    const repo = newStore(t);
    const pulled = await stored(repo.path, unverified(`oci:${layout}:one`));
    const paths = await pathsOf(repo.path, pulled.commit);
    assert.equal(paths.includes('- /usr/etc/inserted'), true, paths.join('\n'));
    assert.equal(paths.includes('- /usr/lib/one'), false);
    await fsck(repo.path);
  });

  it('umoci repack: a changed file is changed', { skip: needs('umoci', 'skopeo', 'ostree', 'root') }, async (t) => {
    const { name } = await imageOf(t, { components: 1 });
    const layout = name.slice('oci:'.length);
    const bundle = join(scratch(t), 'bundle');
    await must('skopeo', ['--insecure-policy', 'copy', '-q', name, `oci:${layout}:one`]);
    await must('umoci', ['unpack', '--image', `${layout}:one`, bundle]);
    writeFileSync(join(bundle, 'rootfs/usr/lib/two'), 'through the link');
    writeFileSync(join(bundle, 'rootfs/usr/lib/new'), 'new');
    mkdirSync(join(bundle, 'rootfs/opt'));
    writeFileSync(join(bundle, 'rootfs/opt/lost'), 'lost');
    await must('umoci', ['repack', '--image', `${layout}:two`, bundle]);
    const repo = newStore(t);
    const pulled = await stored(repo.path, unverified(`oci:${layout}:two`));
    const cat = async (path: string) =>
      (await must('ostree', ['cat', `--repo=${repo.path}`, pulled.commit, path])).stdout;
    assert.deepEqual([await cat('/usr/lib/two'), await cat('/usr/lib/new')], ['through the link', 'new']);
    assert.equal(pulled.filtered['opt'], 2);
    await fsck(repo.path);
  });

  for (const driver of ['overlay', 'vfs']) {
    const build = { skip: needs('podman', 'skopeo', 'busybox', 'runc', 'ostree', 'root', 'mount') };
    it(`podman build with the driver ${driver}: what a command has done is in the tree`, build, async (t) => {
      const busybox = readFileSync(SHELL);
      const tree = {
        ...TREE,
        usr: {
          inside: {
            ...(TREE['usr'] as { inside: object }).inside,
            bin: {
              inside: {
                busybox: { content: busybox, mode: 0o755 },
                sh: { target: 'busybox' },
                touch: { target: 'busybox' },
                ln: { target: 'busybox' },
                rm: { target: 'busybox' },
              },
            },
          },
        },
        bin: { target: 'usr/bin' },
        tmp: { inside: {} },
        run: { inside: {} },
        proc: { inside: {} },
        sys: { inside: {} },
        dev: { inside: {} },
      };
      const { name } = await imageOf(t, { tree, components: 1 });
      const folder = scratch(t);
      const podman = [
        '--root',
        join(folder, 'root'),
        '--runroot',
        join(folder, 'run'),
        '--storage-driver',
        driver,
        '--runtime',
        'runc',
      ];
      const store = `containers-storage:[${driver}@${join(folder, 'root')}+${join(folder, 'run')}]`;
      await must('skopeo', ['--insecure-policy', 'copy', '-q', name, `${store}localhost/base:1`]);
      const steps = [
        'touch /usr/lib/one',
        'echo changed > /etc/config',
        'echo x > /run/x',
        'ln /usr/lib/two /usr/lib/twin',
        'rm /usr/lib/three',
      ];
      writeFileSync(join(folder, 'Containerfile'), `FROM localhost/base:1\nRUN ${steps.join(' && ')}\n`);
      const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', '--network', 'none'];
      await must('podman', [...podman, 'build', '-q', ...limits, '-t', 'localhost/built:1', folder]);
      await must('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        `${store}localhost/built:1`,
        `oci:${join(folder, 'oci')}:built`,
      ]);
      const repo = newStore(t);
      const pulled = await stored(repo.path, unverified(`oci:${join(folder, 'oci')}:built`));
      const cat = async (path: string) =>
        (await must('ostree', ['cat', `--repo=${repo.path}`, pulled.commit, path])).stdout;
      assert.deepEqual(
        [await cat('/usr/lib/one'), await cat('/usr/etc/config'), await cat('/usr/lib/twin')],
        ['one', 'changed\n', 'two'],
      );
      const paths = await pathsOf(repo.path, pulled.commit);
      for (const absent of [
        '- /usr/lib/three',
        '- /usr/etc/hosts',
        '- /usr/etc/resolv.conf',
        '- /run/x',
        'd /sysroot/ostree',
      ]) {
        assert.equal(paths.includes(absent), false, absent);
      }
      await fsck(repo.path);
    });
  }
});

describe('an image that skopeo has converted', { skip: needs('skopeo', 'ostree', 'root') }, () => {
  for (const [what, words] of [
    ['to schema 2 of Docker, which has no annotations', ['--format', 'v2s2']],
    ['to layers packed with zstd', ['--dest-compress-format', 'zstd', '--dest-compress']],
  ] as const) {
    it(`${what} brings the same commit`, async (t) => {
      const { name, commit } = await imageOf(t, { components: 2, derived: [[{ path: 'usr/x', content: 'x' }]] });
      const copied = `dir:${join(scratch(t), 'copied')}`;
      await must('skopeo', ['--insecure-policy', 'copy', '-q', ...words, name, copied]);
      const repo = newStore(t);
      assert.equal((await stored(repo.path, unverified(copied))).baseCommit, commit);
      await fsck(repo.path);
    });
  }
});
