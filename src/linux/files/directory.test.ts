import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { type Directory, openDirectory } from './directory.ts';

const needsRoot = { skip: needs('root') };
const STRANGER = 1234;

/** Open, use, close. */
function within<T>(path: string, use: (directory: Directory) => T): T {
  const directory = openDirectory(path);
  try {
    return use(directory);
  } finally {
    directory.close();
  }
}
const same = (directory: Directory, path: string) => assert.equal(directory.stat().ino, fs.statSync(path).ino);

function makeFifo(path: string): void {
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

describe('a directory opened by its path', () => {
  it('is the one that the kernel would open: absolute, relative, with dots and doubled slashes', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'a/b'), { recursive: true });
    for (const path of ['a/b', 'a//b/', './a/b', 'a/../a/./b', 'a/b/../b']) {
      within(`${dir}/${path}`, (directory) => same(directory, join(dir, 'a/b')));
    }
    within('/', (directory) => same(directory, '/'));
    within('/..', (directory) => same(directory, '/'));
    within('.', (directory) => same(directory, '.'));
    within('..', (directory) => same(directory, '..'));
  });

  it('has an absolute path for messages', (t) => {
    const dir = scratch(t);
    assert.equal(
      within(`${dir}//`, (directory) => directory.path),
      dir,
    );
    assert.equal(
      within('/', (directory) => directory.path),
      '/',
    );
    assert.equal(
      within('src', (directory) => directory.path),
      `${process.cwd()}/src`,
    );
  });

  it('takes the real parent for .. behind a link', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'far/away'), { recursive: true });
    fs.symlinkSync('far/away', join(dir, 'l'));
    within(`${dir}/l/..`, (directory) => same(directory, join(dir, 'far')));
  });

  it('that is absent, or behind something absent, is ENOENT naming that', (t) => {
    const dir = scratch(t);
    assert.throws(() => openDirectory(join(dir, 'x')), { code: 'ENOENT', path: join(dir, 'x') });
    assert.throws(() => openDirectory(join(dir, 'x/y/z')), { code: 'ENOENT', path: join(dir, 'x') });
    assert.throws(() => openDirectory(''), { code: 'ENOENT' });
  });

  it('that is a file, or behind one, is NOT_A_DIRECTORY naming the file', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'f'), '');
    makeFifo(join(dir, 'p'));
    for (const path of ['f', 'f/x', 'f/..', 'p']) {
      const subject = join(dir, path[0] ?? '');
      assert.throws(() => openDirectory(`${dir}/${path}`), { code: 'NOT_A_DIRECTORY', subject });
    }
  });

  it('leaves no descriptor open when it fails', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'a'));
    fs.writeFileSync(join(dir, 'a/f'), '');
    fs.symlinkSync('round', join(dir, 'a/round'));
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    for (const path of ['a/x', 'a/f', 'a/f/x', 'a/round']) assert.throws(() => openDirectory(join(dir, path)));
    within(join(dir, 'a'), () => undefined);
    assert.equal(open(), before);
  });
});

describe('a symbolic link on the way', () => {
  it('is followed, relative and absolute, in a directory that only we can change', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'real/in'), { recursive: true });
    fs.symlinkSync('real', join(dir, 'relative'));
    fs.symlinkSync(join(dir, 'relative'), join(dir, 'absolute'));
    for (const link of ['relative', 'absolute']) {
      within(join(dir, link, 'in'), (directory) => same(directory, join(dir, 'real/in')));
    }
  });

  it('is refused in a directory that others or a group may write', (t) => {
    for (const mode of [0o777, 0o775]) {
      const dir = scratch(t);
      fs.mkdirSync(join(dir, 'real'));
      fs.symlinkSync('real', join(dir, 'l'));
      fs.chmodSync(dir, mode);
      assert.throws(() => openDirectory(join(dir, 'l')), { code: 'UNSAFE_LINK', subject: join(dir, 'l') });
      within(join(dir, 'real'), (directory) => same(directory, join(dir, 'real')));
    }
  });

  it('is refused in the directory of another user', needsRoot, (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'home/real'), { recursive: true });
    fs.symlinkSync('real', join(dir, 'home/l'));
    fs.chownSync(join(dir, 'home'), STRANGER, STRANGER);
    assert.throws(() => openDirectory(join(dir, 'home/l')), { code: 'UNSAFE_LINK' });
    fs.chmodSync(join(dir, 'home'), 0o1777); // who owns a sticky directory may still take anything away
    assert.throws(() => openDirectory(join(dir, 'home/l')), { code: 'UNSAFE_LINK' });
  });

  it('in a sticky directory is followed when it is ours, refused when it is somebody else’s', needsRoot, (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'real'));
    fs.symlinkSync('real', join(dir, 'ours'));
    fs.symlinkSync('real', join(dir, 'theirs'));
    fs.lchownSync(join(dir, 'theirs'), STRANGER, STRANGER);
    fs.chmodSync(dir, 0o1777);
    within(join(dir, 'ours'), (directory) => same(directory, join(dir, 'real')));
    assert.throws(() => openDirectory(join(dir, 'theirs')), { code: 'UNSAFE_LINK' });
  });

  it('that leads round in circles, or through more than 40, is ELOOP', (t) => {
    const dir = scratch(t);
    fs.symlinkSync('b', join(dir, 'a'));
    fs.symlinkSync('a', join(dir, 'b'));
    assert.throws(() => openDirectory(join(dir, 'a')), { code: 'ELOOP' });
    fs.mkdirSync(join(dir, 'n0'));
    for (let i = 1; i <= 41; i++) fs.symlinkSync(`n${i - 1}`, join(dir, `n${i}`));
    within(join(dir, 'n40'), (directory) => same(directory, join(dir, 'n0')));
    assert.throws(() => openDirectory(join(dir, 'n41')), { code: 'ELOOP' });
  });
});

describe('an open directory', () => {
  it('stays the same when another is put into its place', (t) => {
    const dir = scratch(t);
    fs.mkdirSync(join(dir, 'd'));
    within(join(dir, 'd'), (directory) => {
      fs.renameSync(join(dir, 'd'), join(dir, 'moved'));
      fs.symlinkSync('/etc', join(dir, 'd'));
      fs.writeFileSync(directory.at('f'), 'ours');
      assert.equal(fs.readFileSync(join(dir, 'moved/f'), 'utf8'), 'ours');
    });
  });

  it('has no names but plain ones', (t) => {
    within(scratch(t), (directory) => {
      for (const name of ['', '.', '..', 'a/b', '/etc', '../x', 'a\0b']) {
        assert.throws(() => directory.at(name), { code: 'BAD_NAME' });
        assert.throws(() => directory.unlink(name), { code: 'BAD_NAME' });
        assert.throws(() => directory.rename('a', directory, name), { code: 'BAD_NAME' });
      }
      assert.match(directory.at('...'), /^\/proc\/self\/fd\/\d+\/\.\.\.$/);
    });
  });

  it('tells what is absent from what is wrong', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'f'), '');
    within(dir, (directory) => {
      assert.equal(directory.lstat('x'), undefined);
      assert.equal(directory.readLink('x'), undefined);
      assert.equal(directory.openRegular('x'), undefined);
      assert.equal(directory.openDirectory('x'), undefined);
      assert.equal(directory.unlink('x'), false);
      assert.equal(directory.removeDirectory('x'), false);
      assert.throws(() => directory.readLink('f'), { code: 'EINVAL', path: join(dir, 'f') });
      assert.throws(() => directory.openDirectory('f'), { code: 'NOT_A_DIRECTORY', subject: join(dir, 'f') });
      assert.throws(() => directory.openFile('x', fs.constants.O_RDONLY), { code: 'ENOENT', path: join(dir, 'x') });
    });
  });

  it('makes, lists, renames and removes', (t) => {
    const dir = scratch(t);
    within(dir, (directory) => {
      const inner = directory.makeDirectory('inner', 0o750);
      assert.equal(inner.stat().mode & 0o777, 0o750 & ~process.umask());
      directory.makeDirectory('inner', 0o700).close();
      assert.equal(inner.stat().mode & 0o777, 0o750 & ~process.umask());
      directory.symlink('nowhere', 'l');
      assert.equal(directory.readLink('l'), 'nowhere');
      directory.rename('l', inner, 'm');
      assert.deepEqual([directory.list(), inner.list()], [['inner'], ['m']]);
      assert.equal(inner.path, join(dir, 'inner'));
      assert.equal(inner.unlink('m'), true);
      assert.equal(directory.removeDirectory('inner'), true);
      inner.close();
      directory.sync();
      assert.deepEqual(directory.list(), []);
    });
  });

  it('can be closed twice, and cannot be used afterwards', (t) => {
    const directory = openDirectory(scratch(t));
    directory.close();
    directory.close();
    assert.throws(() => directory.list(), /closed/);
  });
});

describe('a file in it', () => {
  it('is never opened through a link', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'secret'), 'secret');
    fs.symlinkSync('secret', join(dir, 'l'));
    fs.symlinkSync('.', join(dir, 'd'));
    within(dir, (directory) => {
      for (const flags of [fs.constants.O_RDONLY, fs.constants.O_WRONLY | fs.constants.O_CREAT]) {
        assert.throws(() => directory.openFile('l', flags), { code: 'ELOOP', path: join(dir, 'l') });
      }
      assert.throws(() => directory.openRegular('l'), { code: 'NOT_A_REGULAR_FILE' });
      assert.throws(() => directory.openDirectory('d'), { code: 'NOT_A_DIRECTORY' });
      assert.throws(() => directory.makeDirectory('d', 0o755), { code: 'NOT_A_DIRECTORY' });
    });
  });

  it('that is a FIFO, a directory or a device is not regular, and nothing hangs', (t) => {
    const dir = scratch(t);
    makeFifo(join(dir, 'p'));
    fs.mkdirSync(join(dir, 'd'));
    within(dir, (directory) => {
      for (const name of ['p', 'd']) {
        assert.throws(() => directory.openRegular(name), { code: 'NOT_A_REGULAR_FILE', subject: join(dir, name) });
      }
      fs.closeSync(directory.openFile('p', fs.constants.O_RDONLY));
      assert.throws(() => directory.openFile('p', fs.constants.O_WRONLY), { code: 'ENXIO' });
    });
    within('/dev', (directory) => assert.throws(() => directory.openRegular('null'), { code: 'NOT_A_REGULAR_FILE' }));
  });

  it('comes with the stats of what was opened', (t) => {
    const dir = scratch(t);
    fs.writeFileSync(join(dir, 'f'), 'four');
    within(dir, (directory) => {
      const file = directory.openRegular('f');
      assert.equal(file?.stats.size, 4);
      assert.equal(fs.readFileSync(file.fd, 'utf8'), 'four');
      fs.closeSync(file.fd);
    });
  });

  it('is not inherited by children', (t) => {
    within(scratch(t), (directory) => {
      const fd = directory.openFile('f', fs.constants.O_CREAT | fs.constants.O_RDWR);
      const { status } = spawnSync('/bin/sh', [
        '-c',
        `test -e /proc/self/fd/${fd} || test -e /proc/self/fd/${directory.fd}`,
      ]);
      assert.equal(status, 1);
      fs.closeSync(fd);
    });
  });
});
