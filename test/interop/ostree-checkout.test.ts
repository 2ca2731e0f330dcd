import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { mountImage } from '../support/full-disk.ts';
import { needs } from '../support/needs.ts';
import { unpackVector } from '../support/ostree-vectors.ts';
import { must, run, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { factsOf } from './checkout-facts.ts';

const skip = needs('ostree', 'root');
const MAIN = 'test/main';

/** Options that make a difference in each mode. */
const OPTIONS = {
  bare: ['', '-C', '-U', '-U -C', '-H', '-M', '-U -M', '--union', '--union-add -C', '--subpath=/usr/bin', '--fsync=no'],
  'bare-user': ['', '-C', '-U', '-U -H', '-U -C', '-U -M', '-U --union', '-H --union-identical -U'],
  'bare-user-only': ['', '-H', '-C', '-U -H', '-M'],
  archive: ['', '-C', '-U', '-U -C', '-U --disable-cache', '-U --subpath=/usr/share'],
  'bare-split-xattrs': ['', '-U', '-C'],
} as const;
/** Neither program can make hard links here. */
const IMPOSSIBLE = { bare: '-H -U', 'bare-user': '-H', archive: '-H -U', 'bare-split-xattrs': '-H' } as const;

interface Pair {
  readonly theirs: string;
  readonly ours: string;
}

/** The same words for both, each with a target of its own; `prepare` fills it before. */
async function checkOutBoth(
  t: TestContext,
  words: readonly string[],
  prepare?: (target: string) => void,
): Promise<Pair & { readonly statuses: readonly (number | null)[]; readonly stderr: string }> {
  const folder = scratch(t);
  const pair = { theirs: join(folder, 'theirs', 'root'), ours: join(folder, 'ours', 'root') };
  for (const target of [pair.theirs, pair.ours]) {
    mkdirSync(join(target, '..'));
    prepare?.(target);
  }
  const theirs = await run('ostree', ['checkout', ...words, pair.theirs]);
  const ours = await runOstreeContainer(['repo', 'checkout', ...words, pair.ours]);
  return { ...pair, statuses: [theirs.status, ours.status], stderr: theirs.stderr + ours.stderr };
}

async function assertSame(t: TestContext, words: readonly string[], prepare?: (target: string) => void): Promise<Pair> {
  const both = await checkOutBoth(t, words, prepare);
  assert.deepEqual(both.statuses, [0, 0], `${words.join(' ')}: ${both.stderr}`);
  assert.deepEqual(factsOf(both.ours), factsOf(both.theirs), words.join(' '));
  assert.deepEqual(readdirSync(join(both.ours, '..')), ['root'], 'nothing is left beside the target');
  return both;
}

/** Both refuse; ours leaves the target as it was. */
async function assertBothFail(
  t: TestContext,
  words: readonly string[],
  code: string,
  prepare?: (target: string) => void,
): Promise<void> {
  const folder = scratch(t);
  const [theirs, ours] = ['theirs', 'ours'].map((name) => join(folder, name));
  for (const target of [theirs, ours]) prepare?.(target ?? '');
  const before = existsSync(ours ?? '') ? factsOf(ours ?? '') : {};
  assert.notEqual((await run('ostree', ['checkout', ...words, theirs ?? ''])).status, 0, words.join(' '));
  const { stdout } = await runOstreeContainer(['repo', 'checkout', '--json', ...words, ours ?? '']);
  assert.equal((JSON.parse(stdout) as { code?: string }).code, code, words.join(' '));
  assert.deepEqual(existsSync(ours ?? '') ? factsOf(ours ?? '') : {}, before, words.join(' '));
}

describe('a checkout beside that of the program ostree', { skip }, () => {
  for (const [mode, options] of Object.entries(OPTIONS) as [keyof typeof OPTIONS, readonly string[]][]) {
    it(`is equal from a repository of mode ${mode}: owners, modes, times, attributes, links to objects`, async (t) => {
      const repository = unpackVector(t, mode);
      for (const words of options) {
        await assertSame(t, [...words.split(' ').filter(Boolean), `--repo=${repository}`, MAIN]);
      }
    });
  }
  for (const [mode, words] of Object.entries(IMPOSSIBLE) as [keyof typeof IMPOSSIBLE, string][]) {
    it(`is refused with ${words} from a repository of mode ${mode}`, async (t) => {
      const words_ = [...words.split(' '), `--repo=${unpackVector(t, mode)}`, MAIN];
      await assertBothFail(t, words_, 'HARDLINKS_IMPOSSIBLE');
    });
  }
  it('links files, copies empty ones and those that had to be made readable', async (t) => {
    const { ours } = await assertSame(t, ['-U', '-H', `--repo=${unpackVector(t, 'bare-user')}`, MAIN]);
    const own = Object.entries(factsOf(ours)).filter(
      ([, { inode, mode }]) => inode === 'own' && mode.startsWith('100'),
    );
    assert.deepEqual(
      own.map(([name]) => name),
      ['usr/bin/nobits', 'usr/empty'],
    );
  });
  it('takes subpaths of directories and of files', async (t) => {
    const repository = `--repo=${unpackVector(t, 'bare')}`;
    await assertSame(t, [repository, '--subpath=/usr/share', MAIN]);
    await assertSame(t, [repository, '--subpath=/usr/greeting.txt', MAIN]);
    await assertSame(t, [repository, '--subpath=/usr/dangling', MAIN], (target) => mkdirSync(target));
    await assertBothFail(t, [repository, '--subpath=/usr/greeting.txt', MAIN], 'TARGET_EXISTS', (target) => {
      mkdirSync(target);
      writeFileSync(join(target, 'greeting.txt'), 'mine');
    });
    await assertBothFail(t, [repository, '--subpath=/nope', MAIN], 'PATH_MISSING');
  });
  it('does nothing with --allow-noent when the path is absent', async (t) => {
    const both = await checkOutBoth(t, [`--repo=${unpackVector(t, 'bare')}`, '--allow-noent', '--subpath=/nope', MAIN]);
    assert.deepEqual([...both.statuses, existsSync(both.theirs), existsSync(both.ours)], [0, 0, false, false]);
  });
  it('leaves out what the skip list names, below what is checked out', async (t) => {
    const repository = `--repo=${unpackVector(t, 'bare')}`;
    const list = join(scratch(t), 'skip');
    writeFileSync(list, '/usr/bin/\n/usr/greeting.txt\nusr/link\n\n/usr/sizes\n/usr/nope\n');
    const { ours } = await assertSame(t, [repository, `--skip-list=${list}`, MAIN]);
    assert.deepEqual([existsSync(join(ours, 'usr/bin')), existsSync(join(ours, 'usr/sizes'))], [false, true]);
    writeFileSync(list, '/usr/bin/su\n/ping\n');
    await assertSame(t, [repository, `--skip-list=${list}`, '--subpath=/usr/bin', MAIN]);
  });
  it('does several into one target, from a file and from standard input', async (t) => {
    const repository = `--repo=${unpackVector(t, 'bare')}`;
    const list = join(scratch(t), 'list');
    const input = `${MAIN}\0/usr/bin\0${MAIN}^\0/usr/share\0`;
    writeFileSync(list, input);
    const { theirs, ours } = await assertSame(t, [repository, '--union', `--from-file=${list}`]);
    rmSync(theirs, { recursive: true });
    const words = ['repo', 'checkout', repository, '--union', '--from-stdin', theirs];
    assert.equal((await runOstreeContainer(words, { input })).status, 0);
    assert.deepEqual(factsOf(theirs), factsOf(ours));
  });
});

describe('a checkout into a target that is there', { skip }, () => {
  const old = (target: string): void => {
    mkdirSync(join(target, 'usr/bin'), { recursive: true });
    chmodSync(join(target, 'usr/bin'), 0o700);
    chownSync(join(target, 'usr'), 3, 3);
    writeFileSync(join(target, 'usr/bin/su'), 'old');
    writeFileSync(join(target, 'usr/link'), 'old');
    symlinkSync('/nowhere', join(target, 'usr/greeting.txt'));
    writeFileSync(join(target, 'usr/kept'), 'kept');
  };
  for (const mode of ['bare', 'bare-user', 'archive'] as const) {
    it(`replaces or keeps files, and keeps directories as they are: ${mode}`, async (t) => {
      const repository = `--repo=${unpackVector(t, mode)}`;
      // With --union-add the program does not use the cache of an archive; we do.
      const more = mode === 'archive' ? [] : [['--union-add', '-U']];
      for (const words of [['--union'], ['--union-add'], ['--union', '-U'], ['--union', '-C'], ...more])
        await assertSame(t, [...words, repository, MAIN], old);
    });
  }
  it('with --union-identical takes what is the same file, link or content, and nothing else', async (t) => {
    const path = unpackVector(t, 'bare');
    const words = ['-H', '--union-identical', `--repo=${path}`, '--subpath=/usr/bin', MAIN];
    const { theirs, ours } = await assertSame(t, words);
    for (const target of [theirs, ours]) {
      const su = join(target, 'su');
      const content = readFileSync(su);
      rmSync(su);
      writeFileSync(su, content);
      chmodSync(su, 0o4755);
    }
    assert.equal((await run('ostree', ['checkout', ...words, theirs])).status, 0);
    assert.equal((await runOstreeContainer(['repo', 'checkout', ...words, ours])).status, 0);
    await assertBothFail(t, words, 'TARGET_EXISTS', (target) => {
      mkdirSync(target);
      writeFileSync(join(target, 'mail'), 'other');
    });
  });
  it('with --union-identical can be repeated where links and unreadable files are copies', async (t) => {
    const words = ['-U', '-H', '--union-identical', `--repo=${unpackVector(t, 'bare-user')}`, MAIN];
    const target = join(scratch(t), 'root');
    for (const _ of [1, 2]) {
      const { status, stderr } = await runOstreeContainer(['repo', 'checkout', ...words, target]);
      assert.equal(status, 0, stderr);
    }
    rmSync(join(target, 'usr/link'));
    symlinkSync('elsewhere', join(target, 'usr/link'));
    assert.equal((await runOstreeContainer(['repo', 'checkout', ...words, target])).status, 1);
  });
  it('is refused without a union option, and where a directory and a file meet', async (t) => {
    const repository = `--repo=${unpackVector(t, 'bare')}`;
    await assertBothFail(t, [repository, MAIN], 'TARGET_EXISTS', (target) => mkdirSync(target));
    await assertBothFail(t, [repository, MAIN], 'TARGET_EXISTS', (target) => writeFileSync(target, ''));
    await assertBothFail(t, [repository, MAIN], 'TARGET_EXISTS', (target) => symlinkSync('/nowhere', target));
    await assertBothFail(t, ['--union', repository, MAIN], 'NOT_A_DIRECTORY', (target) => writeFileSync(target, ''));
    const words = ['--union', repository, '--subpath=/usr/deep', MAIN];
    await assertBothFail(t, words, 'TARGET_EXISTS', (target) => {
      mkdirSync(target);
      writeFileSync(join(target, 'a'), 'in the way');
    });
    await assertBothFail(t, ['--union', repository, '--subpath=/usr/bin', MAIN], 'TARGET_EXISTS', (target) =>
      mkdirSync(join(target, 'mail/deep'), { recursive: true }),
    );
  });
  it('needs the directory above the target', async (t) => {
    const words = ['repo', 'checkout', '--json', `--repo=${unpackVector(t, 'bare')}`, MAIN];
    const { stdout } = await runOstreeContainer([...words, join(scratch(t), 'no/root')]);
    assert.equal((JSON.parse(stdout) as { code: string }).code, 'ENOENT');
  });
  it('follows a link to a directory in the place of the target, with a union option', async (t) => {
    const repository = `--repo=${unpackVector(t, 'bare')}`;
    const words = ['--union', repository, '--subpath=/usr/bin', MAIN];
    const { statuses, theirs, ours } = await checkOutBoth(t, words, (target) => {
      mkdirSync(`${target}-real`);
      symlinkSync(`${target}-real`, target);
    });
    assert.deepEqual(statuses, [0, 0]);
    assert.deepEqual(factsOf(`${ours}-real`), factsOf(`${theirs}-real`));
    await assertBothFail(t, ['--union', repository, MAIN], 'ENOENT', (target) =>
      symlinkSync('/nowhere/at/all', target),
    );
  });
});

describe('whiteouts in a checkout', { skip }, () => {
  async function repositoryOf(t: TestContext, names: readonly string[]): Promise<string> {
    const folder = scratch(t);
    for (const name of names) {
      const path = join(folder, 'tree', name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, name.endsWith('opq') ? '' : name);
    }
    chmodSync(join(folder, 'tree'), 0o755);
    symlinkSync('x', join(folder, 'tree/.wh.link'));
    await must('ostree', ['init', `--repo=${folder}/repo`, '--mode=bare']);
    await must('ostree', ['commit', `--repo=${folder}/repo`, '-b', 'm', join(folder, 'tree')]);
    return `--repo=${folder}/repo`;
  }
  const NAMES = ['.wh.gone', '.wh.file', '.wh.absent', 'd/.wh..wh..opq', 'd/new', 'in-place', 'plain/.wh.inner'];
  const old = (target: string): void => {
    for (const path of ['gone/deep', 'd/old/er', 'in-place/of', 'plain/inner'])
      mkdirSync(join(target, path), { recursive: true });
    chmodSync(join(target, 'd'), 0o700);
    chownSync(join(target, 'd'), 3, 3);
    for (const path of ['file', 'link', 'kept', 'plain/kept']) writeFileSync(join(target, path), path);
  };
  it('delete what they name, and make a directory anew that is opaque', async (t) => {
    const repository = await repositoryOf(t, NAMES);
    await assertSame(t, ['--union', '--whiteouts', repository, 'm'], old);
    await assertSame(t, ['--union-add', '--whiteouts', repository, 'm'], old);
    const { ours } = await assertSame(t, ['--whiteouts', repository, 'm']);
    assert.deepEqual(readdirSync(ours).sort(), ['.wh.link', 'd', 'in-place', 'plain']);
    await assertSame(t, [repository, 'm']);
  });
  it('replace a file by a directory, which the program does not', async (t) => {
    const repository = await repositoryOf(t, ['place/inner']);
    const both = await checkOutBoth(t, ['--union', '--whiteouts', repository, 'm'], (target) => {
      mkdirSync(target);
      writeFileSync(join(target, 'place'), '');
    });
    assert.deepEqual([both.statuses[1], existsSync(join(both.ours, 'place/inner'))], [0, true]);
  });
  it('empty the target itself', async (t) => {
    const repository = await repositoryOf(t, ['.wh..wh..opq', 'new']);
    const { ours } = await assertSame(t, ['--union', '--whiteouts', repository, 'm'], old);
    assert.deepEqual(readdirSync(ours).sort(), ['.wh.link', 'new']);
  });
  it('become devices of overlayfs, again and again', async (t) => {
    const repository = await repositoryOf(t, ['.ostree-wh.dev', 'd/.ostree-wh.other', 'plain/file']);
    const words = ['--process-passthrough-whiteouts', repository, 'm'];
    for (const more of [[], ['-U'], ['--union'], ['--union-add'], ['-H', '--union-identical'], ['--union', '-C']]) {
      const { theirs, ours } = await assertSame(t, [...more, ...words]);
      if (!more.some((word) => word.startsWith('--union'))) continue;
      const statuses = [
        (await run('ostree', ['checkout', ...more, ...words, theirs])).status,
        (await runOstreeContainer(['repo', 'checkout', ...more, ...words, ours])).status,
      ];
      assert.deepEqual(statuses, [0, 0], more.join(' '));
    }
  });
  it('for no name, or for the directory above, are refused', async (t) => {
    for (const name of ['.wh.', '.wh..', '.wh...', '.ostree-wh.', '.ostree-wh...']) {
      const repository = await repositoryOf(t, [`d/${name}`]);
      const words = ['--whiteouts', '--process-passthrough-whiteouts', '--union', '--json', repository, 'm'];
      const target = join(scratch(t), 'root');
      const { stdout } = await runOstreeContainer(['repo', 'checkout', ...words, target]);
      assert.equal((JSON.parse(stdout) as { code: string }).code, 'FILE_NAME', name);
    }
  });
});

describe('a checkout of copies on a file system with reflinks', {
  skip: skip || needs('mkfs.xfs', 'loop-mount'),
}, () => {
  it('shares the blocks of files of every size', async (t) => {
    const folder = scratch(t);
    const [image, disk] = [join(folder, 'image'), join(folder, 'disk')];
    await must('truncate', ['-s', '320M', image]);
    await must('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
    mkdirSync(disk);
    await mountImage(image, disk);
    mkdirSync(join(disk, 'tree'));
    const sizes = [1, 5000, 70_000, 3_000_001];
    for (const size of sizes) writeFileSync(join(disk, 'tree', `${size}`), Buffer.alloc(size, 'x'));
    await must('ostree', ['init', `--repo=${disk}/repo`, '--mode=bare']);
    await must('ostree', ['commit', `--repo=${disk}/repo`, '-b', 'm', join(disk, 'tree')]);
    const words = ['repo', 'checkout', `--repo=${disk}/repo`, '-C', 'm', `${disk}/root`];
    const { status, stderr } = await runOstreeContainer(words);
    assert.equal(status, 0, stderr);
    for (const size of sizes) {
      const path = join(disk, 'root', `${size}`);
      const { stdout } = await must('filefrag', ['-v', path]);
      assert.match(stdout, /shared/, `${size} bytes`);
      assert.equal(lstatSync(path).nlink, 1);
      assert.ok(readFileSync(path).equals(Buffer.alloc(size, 'x')));
    }
  });
});
