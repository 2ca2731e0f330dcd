import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { unpackVector, type VectorName } from '../support/ostree-vectors.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { assertBothFail, assertSameLines, assertSameOutput, runBoth } from './ostree-side-by-side.ts';

const skip = needs('ostree', 'root');
const MODES = ['archive', 'bare', 'bare-user', 'bare-user-only', 'bare-split-xattrs'] as const satisfies VectorName[];
const MAIN = 'test/main';
/** What the vectors have: an empty tree, attributes, a file, a link with attributes, a directory's attributes. */
const OBJECTS = [
  '9e254e0b2c0e3f2e659000617011a4fc6504839bbdd5532e43a29b975f184aa7',
  '446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488',
  '0bbdec4cf14f9e8ca8c6ad9379b2f09d8b34e5f2d8fc4e2e90f7fb1f3f2c717f',
  '0d21795b255f3d172201d3b99f4be7921036f472fc9755cd8fa53de3661c38ed',
  'd39ff9668f164c8d063926e295a4d9bbc5f6ef19553a7532a5c82215b03d140d',
] as const;

/** Nothing here changes them. */
const paths = new Map<VectorName, string>();
if (skip === false) {
  for (const name of [...MODES, 'signed', 'special', 'tree-v1'] as const)
    paths.set(name, unpackVector({ after }, name));
}
const repo = (name: VectorName): string => `--repo=${paths.get(name)}`;

describe('beside the program ostree', { skip }, () => {
  for (const mode of MODES) {
    it(`ls prints the same lines of a repository of mode ${mode}`, async () => {
      for (const options of [[], ['-d'], ['-R'], ['-C'], ['-X'], ['-R', '-C', '-X'], ['-R', '--nul-filenames-only']])
        await assertSameOutput(['ls', repo(mode), ...options, MAIN]);
    });
    it(`log and show print the same text of a repository of mode ${mode}`, async () => {
      for (const words of [['log'], ['log', '--raw'], ['show'], ['show', '--raw']])
        await assertSameOutput([...words, repo(mode), MAIN]);
    });
  }
  it('ls takes paths of files, links and directories, and fails for one that is absent', async () => {
    await assertSameOutput(['ls', repo('bare'), MAIN, 'usr', '/usr/bin', '/usr/link', '/usr/empty']);
    assert.match(await assertBothFail(['ls', repo('bare'), MAIN, '/usr/nope']), /not in this commit/);
  });
  it('show prints the same of trees, attributes, files and links', async () => {
    for (const object of OBJECTS) {
      await assertSameOutput(['show', repo('bare'), object]);
      await assertSameOutput(['show', repo('bare'), '--raw', object]);
    }
    await assertSameOutput(['show', repo('bare'), '--raw', '-B', OBJECTS[1]]);
  });
  it('show prints the same metadata, sizes and related commits', async () => {
    for (const key of ['version', 'example.number', 'example.list', 'ostree.ref-binding']) {
      await assertSameOutput(['show', repo('archive'), `--print-metadata-key=${key}`, `${MAIN}^`]);
      await assertSameOutput(['show', repo('archive'), '-B', `--print-metadata-key=${key}`, `${MAIN}^`]);
    }
    await assertSameOutput(['show', repo('signed'), '--print-detached-metadata-key=ostree.gpgsigs', 'gpg-rsa']);
    await assertSameOutput(['show', repo('archive'), '--print-sizes', `${MAIN}^`]);
    await assertSameOutput(['show', repo('archive'), '--print-related', MAIN]);
    await assertBothFail(['show', repo('archive'), '--print-sizes', MAIN]);
    await assertBothFail(['show', repo('archive'), '--print-metadata-key=nope', MAIN]);
    await assertBothFail(['show', repo('archive'), '--print-detached-metadata-key=nope', `${MAIN}^`]);
  });
  it('show --list-metadata-keys is sorted', async () => {
    const listed = await runOstreeContainer(['repo', 'show', repo('archive'), '--list-metadata-keys', MAIN]);
    assert.equal(listed.stdout, 'ostree.collection-binding\nostree.ref-binding\nversion\n');
  });
  it('show tells the same of OpenPGP signatures', async () => {
    for (const ref of ['gpg-rsa', 'gpg-two', 'gpg-untrusted', 'gpg-ed25519', 'unsigned'])
      await assertSameOutput(['show', repo('signed'), ref]);
    await assertSameOutput(['show', repo('special'), '--gpg-verify-remote=origin', 'gpg-rsa']);
    await assertBothFail(['show', repo('special'), '--gpg-verify-remote=nope', 'gpg-rsa']);
  });
  it('show also tells of the signatures that the program does not know', async () => {
    const { theirs, ours } = await runBoth(['show', repo('signed'), 'both']);
    assert.ok(ours.stdout.startsWith(theirs.stdout));
    assert.match(ours.stdout.slice(theirs.stdout.length), /^\n {2}ed25519 signature: unknown key/);
  });

  it('refs lists the same, whole and below a prefix', async () => {
    const lists = [[], ['--list'], ['loc'], ['loc:'], ['--list', 'loc'], ['loc:both'], ['-A'], ['loc/ref'], ['nope']];
    for (const words of lists) await assertSameLines(['refs', repo('special'), ...words]);
    for (const words of [[], ['-c'], ['-c', 'org.example.Alpha'], ['-c', 'org.example.Os'], ['tes']])
      await assertSameLines(['refs', repo('archive'), ...words]);
    await assertBothFail(['refs', repo('archive'), '-c', 'bad']);
  });
  it('refs changes a repository as the program does', async (t) => {
    const [theirs, ours] = ['theirs', 'ours'].map((name) => join(scratch(t), name));
    for (const copy of [theirs, ours])
      cpSync(paths.get('special') ?? '', copy ?? '', { recursive: true, verbatimSymlinks: true });
    for (const words of REF_CHANGES) {
      const [a, b] = await Promise.all([
        must('ostree', ['refs', `--repo=${theirs}`, ...words]).then(
          () => 0,
          () => 1,
        ),
        runOstreeContainer(['repo', 'refs', `--repo=${ours}`, ...words]).then(({ status }) => Math.min(status ?? 9, 1)),
      ]);
      assert.equal(b, a, words.join(' '));
      assert.deepEqual(await refsOf(ours ?? ''), await refsOf(theirs ?? ''), words.join(' '));
    }
  });

  it('rev-parse resolves the same names', async () => {
    await assertSameOutput(['rev-parse', repo('bare'), MAIN, `${MAIN}^`, '8cb5']);
    await assertSameOutput(['rev-parse', repo('special'), 'loc/both', 'loc:both', 'both', 'loc/alias']);
    await assertSameOutput(['rev-parse', repo('bare-user-only'), '--single']);
    for (const words of [['--single'], ['nope'], [`${MAIN}^^`], []])
      await assertBothFail(['rev-parse', repo('bare'), ...words]);
  });
  it('cat writes the same bytes, and follows links inside of the commit', async () => {
    await assertSameOutput(['cat', repo('archive'), MAIN, '/usr/lib/blob.bin', '/usr/empty', 'usr/greeting.txt']);
    await assertSameOutput(['cat', repo('bare'), MAIN, '/usr/link', '/usr/bin/nobits']);
    for (const path of ['/usr', '/usr/dangling', '/usr/dirlink/mail', '/nope'])
      await assertBothFail(['cat', repo('bare'), MAIN, path]);
  });

  it('diff finds the same between commits', async () => {
    await assertSameOutput(['diff', repo('bare'), MAIN]);
    await assertSameOutput(['diff', repo('archive'), MAIN, `${MAIN}^`]);
    await assertSameOutput(['diff', repo('bare-user'), '--stats', `${MAIN}^`, MAIN]);
    await assertSameOutput(['diff', repo('bare'), '--stats', '--fs-diff', `${MAIN}^`, MAIN]);
    await assertBothFail(['diff', repo('bare'), `${MAIN}^`]);
  });
  it('diff finds the same between commits and directories', async () => {
    const tree = join(paths.get('tree-v1') ?? '', '');
    for (const words of [
      [`${MAIN}^`, tree],
      [tree, MAIN],
      ['--no-xattrs', MAIN, tree],
      ['--owner-uid=5', MAIN, tree],
      ['--owner-uid=5', '--owner-gid=0', tree, MAIN],
      [join(tree, 'usr'), tree],
    ])
      await assertSameLines(['diff', repo('bare'), ...words]);
    await assertSameLines(['diff', repo('bare-user-only'), MAIN, tree]);
  });
  it('diff tells files from directories, and lists what was added in full', async (t) => {
    const [a, b] = ['a', 'b'].map((name) => join(scratch(t), name));
    for (const path of [`${a}/gone/deep`, `${a}/to-file`, `${b}/new/deep/er`, `${b}/to-directory`])
      mkdirSync(path, { recursive: true });
    for (const path of [`${a}/to-directory`, `${a}/same`, `${b}/same`, `${b}/to-file`, `${b}/new/deep/file`])
      writeFileSync(path, 'x');
    await assertSameLines(['diff', repo('bare'), a ?? '', b ?? '']);
    const { ours } = await runBoth(['diff', repo('bare'), a ?? '', b ?? '']);
    assert.equal(
      ours.stdout,
      'M    to-directory\nM    to-file\nD    gone\nA    new\nA    new/deep\nA    new/deep/file\nA    new/deep/er\n',
    );
  });

  it('log prints the same of commits without subject, of long bodies and odd numbers', async (t) => {
    const folder = scratch(t);
    const at = `--repo=${folder}/repo`;
    mkdirSync(join(folder, 'tree'));
    await must('ostree', ['init', at, '--mode=bare-user']);
    const metadata = [
      '--add-metadata=d=@d 1.5',
      "--add-metadata=t=(uint16 1, {'a': <int64 2>})",
      '--add-metadata=m=@ms nothing',
    ];
    const body = '--body=one\n\n three\n';
    const common = ['commit', at, '-b', 'm', `--tree=dir=${folder}/tree`];
    await must('ostree', [...common, '-s', '', body, '--add-metadata-string=version=3', ...metadata, '--timestamp=@0']);
    await must('ostree', [...common, '-s', 'two\nlines', '--timestamp=@99999999999']);
    await assertSameOutput(['log', at, 'm']);
    await assertSameOutput(['log', at, '--raw', 'm']);
    for (const key of ['d', 't', 'm', 'version']) {
      await assertSameOutput(['show', at, `--print-metadata-key=${key}`, 'm^']);
      await assertSameOutput(['show', at, '-B', `--print-metadata-key=${key}`, 'm^']);
    }
  });
  it('config reads and writes what the program does', async (t) => {
    const [theirs, ours] = ['theirs', 'ours'].map((name) => join(scratch(t), name));
    for (const path of [theirs, ours]) await must('ostree', ['init', `--repo=${path}`, '--mode=archive']);
    for (const words of [
      ['get', 'core.mode'],
      ['set', 'a.b', 'c d'],
      ['get', 'a.b'],
      ['get', '--group=a', 'b'],
      ['set', 'remote "x".url', 'http://example.com/'],
      ['get', 'remote "x".url'],
      ['unset', 'a.b'],
      ['unset', 'a.b'],
    ]) {
      const expected = await must('ostree', ['config', `--repo=${theirs}`, ...words]);
      const found = await runOstreeContainer(['repo', 'config', `--repo=${ours}`, ...words]);
      assert.deepEqual([found.status, found.stdout], [0, expected.stdout], words.join(' '));
      const read = ['config', 'get', `--repo=${ours}`, 'core.repo_version'];
      assert.equal((await must('ostree', read)).stdout, '1\n');
    }
    const refused = await runOstreeContainer(['repo', 'config', `--repo=${ours}`, 'set', 'core.mode', 'nope']);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.equal((await must('ostree', ['config', 'get', `--repo=${ours}`, 'core.mode'])).stdout, 'archive-z2\n');
  });
});

const REF_CHANGES = [
  ['--create=a/b/c', 'loc/ref'],
  ['--create=a/b/d', 'unsigned'],
  ['--create=a/b/c', 'unsigned'],
  ['--create=a/b/c', '--force', 'unsigned'],
  ['--create=a/b', 'unsigned'],
  ['--create=loc:x/y', 'loc/ref'],
  ['--create=al', '-A', 'loc/ref'],
  ['-A', '--create=al', 'unsigned'],
  ['-A', '--create=rem:al', 'unsigned'],
  ['-A', '--create=zz', 'nope'],
  ['--create=q/w', 'nope'],
  ['--create=q'],
  ['--delete'],
  ['--create=a:b:c', 'loc/ref'],
  ['--create=bad name', 'unsigned'],
  ['--create=unsigned/x', 'gpg-rsa'],
  ['-c', '--create=org.a.B:x', 'unsigned'],
  ['-c', '--delete', 'org.a.B'],
  ['--delete', 'unsigned'],
  ['--delete', 'loc/ref'],
  ['--delete', 'a'],
  ['--create=a', 'gpg-rsa'],
  ['--delete', 'al'],
  ['--delete', 'nope'],
  ['--delete', 'loc:both'],
] as const;

/** As the program sees them. */
async function refsOf(repository: string): Promise<string[]> {
  const { stdout } = await must('ostree', ['refs', `--repo=${repository}`, '--list']);
  const names = stdout.split('\n').filter((name) => name !== '');
  const commits = await must('ostree', ['rev-parse', `--repo=${repository}`, ...names]);
  const aliases = await must('ostree', ['refs', `--repo=${repository}`, '-A']);
  const mirrored = await must('ostree', ['refs', `--repo=${repository}`, '-c']);
  const pairs = commits.stdout.split('\n').map((commit, i) => `${names[i]} ${commit}`);
  return [...pairs, ...aliases.stdout.split('\n'), ...mirrored.stdout.split('\n')].sort();
}
