/** Export streams judged by GNU tar and by the program ostree, and what we make out of streams judged by ostree. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { needs } from '../support/needs.ts';
import { unpackVector, vectorManifest } from '../support/ostree-vectors.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { committed, LONG_EMPTY, LONG_NAME, listing, makeTree, ours } from './stream-place.ts';

const peers = { skip: needs('ostree', 'tar', 'root', 'python3') };
const CAPABILITY = '0100000200200000000000000000000000000000';

function unpack(tar: string, folder: string): string {
  fs.mkdirSync(folder);
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', tar, '-C', folder]);
  return folder;
}

/** Every path with type, mode, owner, links and size. */
function facts(root: string): readonly string[] {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const { mode, uid, gid, nlink, size } = fs.lstatSync(join(root, name));
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${mode & 0o40000 ? 0 : size}`;
  });
}

function attribute(path: string, name: string): string {
  const script = 'import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2]).hex())';
  return execFileSync('python3', ['-c', script, path, name], { encoding: 'utf8' }).trim();
}

describe('an exported stream', () => {
  it('unpacked by tar is a repository that ostree checks and pulls from', peers, async (t) => {
    const { folder, repo, commit } = await committed(t, makeTree(t));
    const file = join(folder, 'x.tar');
    await ours('tar', 'export', '--repo', repo, '-o', file, 'main');
    const root = unpack(file, join(folder, 'root'));
    const inside = join(root, 'sysroot/ostree/repo');
    await must('ostree', ['fsck', `--repo=${inside}`]);
    const copy = join(folder, 'copy');
    await must('ostree', ['init', `--repo=${copy}`, '--mode=archive']);
    await must('ostree', ['pull-local', `--repo=${copy}`, inside, commit]);
    await must('ostree', ['fsck', `--repo=${copy}`]);
    assert.equal(await listing(copy, commit), await listing(repo, 'main'));
    assert.equal(await listing(inside, commit), await listing(repo, 'main'));
  });

  it('unpacked by tar is the tree, with owners, modes, attributes and links', peers, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    const file = join(folder, 'x.tar');
    await ours('tar', 'export', '--repo', repo, '-o', file, 'main');
    const root = unpack(file, join(folder, 'root'));
    const at = (name: string): string => join(root, name);
    assert.equal(attribute(at('usr/bin/ping'), 'security.capability'), CAPABILITY);
    assert.equal(attribute(at('usr/bin/ping'), 'user.aa'), Buffer.from('first').toString('hex'));
    const links = (name: string): number => fs.lstatSync(at(name)).nlink;
    assert.deepEqual([links('usr/twin'), links('usr/share/twin-3'), links('usr/bin/su')], [4, 4, 2]);
    assert.deepEqual([links('usr/empty'), links('usr/empty-2')], [1, 1]);
    const { mode, uid, gid } = fs.statSync(at('usr/bin/private'));
    assert.deepEqual([mode & 0o7777, uid, gid], [0o600, 1000, 1001]);
    assert.equal(fs.statSync(at('usr/bin/su')).mode & 0o7777, 0o4755);
    assert.equal(fs.statSync(at('etc')).mode & 0o7777, 0o750);
    assert.equal(fs.readFileSync(at('etc/conf'), 'utf8'), 'conf\n');
    assert.equal(fs.existsSync(at('usr/etc')), false);
    assert.equal(fs.statSync(at('var/tmp')).mode & 0o7777, 0o1777);
    assert.equal(fs.readFileSync(at(`usr/${LONG_NAME}`), 'utf8'), 'long\n');
    assert.equal(attribute(at(`usr/${LONG_EMPTY}`), 'user.note'), '78');
    assert.equal(fs.readlinkSync(at('usr/to-long')).length, 300);
  });

  it('is unpacked by bsdtar as by GNU tar', {
    skip: needs('ostree', 'tar', 'bsdtar', 'root', 'python3'),
  }, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    const file = join(folder, 'x.tar');
    await ours('tar', 'export', '--repo', repo, '-o', file, 'main');
    const root = unpack(file, join(folder, 'gnu'));
    fs.mkdirSync(join(folder, 'bsd'));
    execFileSync('bsdtar', ['--numeric-owner', '-xpf', file, '-C', join(folder, 'bsd')]);
    assert.deepEqual(facts(join(folder, 'bsd')), facts(root));
    assert.equal(attribute(join(folder, `bsd/usr/${LONG_EMPTY}`), 'user.note'), '78');
  });

  it('is the same bytes on standard output, in a file, and a second time', peers, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    const file = join(folder, 'x.tar');
    await ours('tar', 'export', '--repo', repo, '--output', file, 'main');
    const first = await ours('tar', 'export', '--repo', repo, 'main');
    assert.ok(first.bytes.equals(fs.readFileSync(file)));
    assert.ok((await ours('tar', 'export', '--repo', repo, 'main')).bytes.equals(first.bytes));
    assert.equal(fs.statSync(file).mode & 0o777, 0o644);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['repo', 'x.tar']);
  });
});

describe('an imported stream', () => {
  for (const mode of ['archive', 'bare', 'bare-user']) {
    it(`is a commit that ostree checks, lists and checks out in mode ${mode}`, peers, async (t) => {
      const { folder, repo, commit } = await committed(t, makeTree(t));
      const file = join(folder, 'x.tar');
      await ours('tar', 'export', '--repo', repo, '-o', file, 'main');
      const target = join(folder, 'target');
      await must('ostree', ['init', `--repo=${target}`, `--mode=${mode}`]);
      const { stdout } = await ours('tar', 'import', '--repo', target, '--write-ref', 'os/main', file);
      assert.equal(stdout, `Imported: os/main => ${commit}\n`);
      await must('ostree', ['fsck', `--repo=${target}`]);
      assert.equal(await listing(target, 'os/main'), await listing(repo, 'main'));
      const user = mode === 'bare-user' ? ['-U'] : [];
      for (const [from, name] of [
        [repo, 'theirs'],
        [target, 'ours'],
      ] as const) {
        await must('ostree', ['checkout', `--repo=${from}`, ...user, commit, join(folder, name)]);
      }
      await must('diff', ['-r', '--no-dereference', join(folder, 'theirs'), join(folder, 'ours')]);
    });
  }

  it('may come over standard input, packed or not', peers, async (t) => {
    const { folder, repo, commit } = await committed(t, makeTree(t));
    const { bytes } = await ours('tar', 'export', '--repo', repo, 'main');
    for (const [name, input] of [
      ['plain', bytes],
      ['packed', gzipSync(bytes)],
    ] as const) {
      const target = join(folder, name);
      await must('ostree', ['init', `--repo=${target}`, '--mode=archive']);
      const ended = await runOstreeContainer(['tar', 'import', '--json', '--repo', target], { input });
      assert.equal(ended.status, 0, ended.stderr);
      const { schema, commit: found, ref, newContentObjects } = JSON.parse(ended.stdout);
      assert.deepEqual([schema, found, ref], ['ostree-container.tar-import/1', commit, null]);
      assert.ok(newContentObjects > 10);
      await must('ostree', ['fsck', `--repo=${target}`]);
    }
  });

  it('is refused with status 1 or 3, and the repository stays as it was', peers, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    const { bytes } = await ours('tar', 'export', '--repo', repo, 'main');
    const altered = Buffer.from(bytes);
    altered[altered.indexOf('twin\n')] = 0x54;
    const target = join(folder, 'target');
    await must('ostree', ['init', `--repo=${target}`, '--mode=archive']);
    for (const [input, status, code] of [
      [altered, 3, 'OBJECT_CORRUPT'],
      [bytes.subarray(0, 400_000), 1, 'TAR_TRUNCATED'],
      [Buffer.from('no tar at all'), 1, 'TAR_TRUNCATED'],
    ] as const) {
      const words = ['tar', 'import', '--json', '--repo', target, '--write-ref', 'os/main'];
      const ended = await runOstreeContainer(words, { input });
      assert.deepEqual([ended.status, JSON.parse(ended.stdout).code], [status, code], ended.stderr);
      assert.equal((await must('ostree', ['refs', `--repo=${target}`])).stdout, '');
      await must('ostree', ['fsck', `--repo=${target}`]);
    }
  });
});

describe('a stream that GNU tar has made out of a repository of the reference implementation', () => {
  for (const format of ['gnu', 'pax']) {
    it(`in the format ${format} is imported as its commit`, peers, async (t) => {
      const commit = vectorManifest().repos['bare-split-xattrs']?.refs['heads/test/main'] ?? assert.fail('no commit');
      const split = unpackVector(t, 'bare-split-xattrs');
      const folder = scratch(t);
      const file = join(folder, 'x.tar');
      const names = namesInOrder(split, commit);
      const words = ['--no-recursion', '--numeric-owner', '--transform=s,^objects/,./sysroot/ostree/repo/objects/,rhS'];
      await must('tar', [`--format=${format}`, '-C', split, ...words, '-cf', file, ...names]);
      const target = join(folder, 'target');
      await must('ostree', ['init', `--repo=${target}`, '--mode=bare']);
      const { stdout } = await ours('tar', 'import', '--repo', target, file);
      assert.equal(stdout, `Imported: ${commit}\n`);
      await must('ostree', ['fsck', `--repo=${target}`]);
      assert.equal(await listing(target, commit), await listing(split, commit));
    });
  }
});

/** The commit first, lists before the links to them, links before their files. */
function namesInOrder(repo: string, commit: string): readonly string[] {
  const objects = fs
    .readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' })
    .map((name) => `objects/${name}`)
    .sort();
  const ending = (text: string): readonly string[] => objects.filter((name) => name.endsWith(text));
  const head = `objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`;
  const detached = ending('.commitmeta').filter((name) => name.startsWith(head));
  const files = ending('.file').flatMap((name) => [`${name}-xattrs-link`, name]);
  return [head, ...detached, ...ending('.dirtree'), ...ending('.dirmeta'), ...ending('.file-xattrs'), ...files];
}
