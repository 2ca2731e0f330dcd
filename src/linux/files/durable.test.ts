import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { type Directory, openDirectory } from './directory.ts';
import { freeBytes, replaceFile, replaceLink, StagedFile, writeAll } from './durable.ts';

const needsRoot = { skip: needs('root', 'mount') };
const NEW = Buffer.from('new');

/** A directory with an inner one for temporary files. */
function setUp(t: TestContext, path = scratch(t)): { path: string; root: Directory; own: Directory } {
  const root = openDirectory(path);
  const own = root.makeDirectory('own', 0o755);
  t.after(() => {
    own.close();
    root.close();
  });
  return { path, root, own };
}

/** A file system of 1 MiB that goes away with the test. */
function tinyDisk(t: TestContext): string {
  const path = scratch(t);
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path]).status, 0);
  return path;
}

/** Every write takes at most three bytes, as a pipe or a nearly full disk may do. */
function shortWrites(t: TestContext): void {
  const write = fs.writeSync.bind(fs);
  t.mock.method(fs, 'writeSync', (fd: number, bytes: Uint8Array, offset: number, length: number, at: number | null) =>
    write(fd, bytes, offset, Math.min(3, length), at),
  );
}

describe('a replaced file', () => {
  it('has the new content and exactly the mode, whatever the umask and the old one’s mode', (t) => {
    const { path, root, own } = setUp(t);
    const old = process.umask(0o077);
    try {
      for (const mode of [0o444, 0o644, 0o600]) {
        replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, Buffer.from(`${mode}`), mode);
        assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), `${mode}`);
        assert.equal(fs.statSync(join(path, 'f')).mode & 0o7777, mode);
      }
    } finally {
      process.umask(old);
    }
    assert.deepEqual(own.list(), []);
  });

  it('is not written through a leftover, be it read-only, a link or a FIFO', (t) => {
    const { path, root, own } = setUp(t);
    fs.writeFileSync(join(path, 'victim'), 'victim');
    const leave = [
      (tmp: string) => fs.writeFileSync(tmp, 'left', { mode: 0o444 }),
      (tmp: string) => fs.symlinkSync('../victim', tmp),
      (tmp: string) => fs.linkSync(join(path, 'victim'), tmp),
      (tmp: string) => void spawnSync('mkfifo', [tmp]),
    ];
    for (const left of leave) {
      left(join(path, 'own/tmp'));
      replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, NEW, 0o644);
      assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), 'new');
    }
    assert.equal(fs.readFileSync(join(path, 'victim'), 'utf8'), 'victim');
  });

  it('replaces a link by that name, not what it points to', (t) => {
    const { path, root, own } = setUp(t);
    fs.writeFileSync(join(path, 'victim'), 'victim');
    fs.symlinkSync('victim', join(path, 'f'));
    replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, NEW, 0o644);
    assert.equal(fs.lstatSync(join(path, 'f')).isFile(), true);
    assert.equal(fs.readFileSync(join(path, 'victim'), 'utf8'), 'victim');
  });

  it('is flushed before it gets its name, and both directories after it', (t) => {
    const { root, own } = setUp(t);
    const order: string[] = [];
    for (const name of ['writeSync', 'fchmodSync', 'fsyncSync', 'renameSync'] as const) {
      const original: unknown = fs[name];
      assert.ok(typeof original === 'function');
      t.mock.method(fs, name, (...args: unknown[]) => {
        const what = args[0] === root.fd ? ' root' : args[0] === own.fd ? ' own' : '';
        order.push(name.replace('Sync', what));
        return Reflect.apply(original, fs, args);
      });
    }
    replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, NEW, 0o644);
    assert.deepEqual(order, ['write', 'fchmod', 'fsync', 'rename', 'fsync root', 'fsync own']);
  });

  it('is whole although every write is short', (t) => {
    const { path, root, own } = setUp(t);
    shortWrites(t);
    replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, Buffer.from('0123456789'), 0o644);
    assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), '0123456789');
  });

  it('keeps its old content on a full disk, with DISK_FULL and no leftover', needsRoot, (t) => {
    const { path, root, own } = setUp(t, tinyDisk(t));
    fs.writeFileSync(join(path, 'f'), 'old');
    const write = () =>
      replaceFile({ directory: root, name: 'f' }, { directory: own, name: 'tmp' }, Buffer.alloc(2 ** 21), 0o644);
    assert.throws(write, { code: 'DISK_FULL', subject: join(path, 'own/tmp') });
    assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), 'old');
    assert.deepEqual(own.list(), []);
  });

  it('cannot take the place of a directory: the error names it, and nothing is left over', (t) => {
    const { path, root, own } = setUp(t);
    fs.mkdirSync(join(path, 'd'));
    const write = () => replaceFile({ directory: root, name: 'd' }, { directory: own, name: 'tmp' }, NEW, 0o644);
    assert.throws(write, { code: 'EISDIR', path: join(path, 'd') });
    assert.deepEqual(own.list(), []);
  });
});

describe('a replaced link', () => {
  it('has the new text; a file or link of that name, or a leftover, is no hindrance', (t) => {
    const { path, root, own } = setUp(t);
    fs.writeFileSync(join(path, 'l'), '');
    for (const text of ['store/1', 'store/2']) {
      fs.symlinkSync('left', join(path, 'own/tmp'));
      replaceLink({ directory: root, name: 'l' }, { directory: own, name: 'tmp' }, text);
      assert.equal(fs.readlinkSync(join(path, 'l')), text);
    }
    assert.deepEqual(own.list(), []);
  });
});

describe('writing all', () => {
  it('goes on after short writes, at a position too', (t) => {
    const path = join(scratch(t), 'f');
    const fd = fs.openSync(path, 'w');
    shortWrites(t);
    writeAll(fd, Buffer.from('0123456789'));
    writeAll(fd, Buffer.from('abcdef'), 2);
    writeAll(fd, new Uint8Array());
    fs.closeSync(fd);
    assert.equal(fs.readFileSync(path, 'utf8'), '01abcdef89');
  });

  it('ends with an error when nothing is taken at all', (t) => {
    t.mock.method(fs, 'writeSync', () => 0);
    assert.throws(() => writeAll(1, NEW), { code: 'EIO' });
  });
});

describe('free bytes', () => {
  it('are those of the file system of the directory', needsRoot, (t) => {
    const { root } = setUp(t, tinyDisk(t));
    const free = freeBytes(root);
    assert.ok(free > 0 && free <= 2 ** 20);
  });
});

describe('a staged file', () => {
  it('gets its name when it is committed, with exactly the mode', (t) => {
    const { path, root } = setUp(t);
    const file = StagedFile.fresh(root, '.part');
    file.write(Buffer.from('one '));
    file.write(Buffer.from('two'));
    assert.deepEqual([file.size, fs.existsSync(join(path, 'f'))], [7, false]);
    file.commit('f', 0o444);
    assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), 'one two');
    assert.equal(fs.statSync(join(path, 'f')).mode & 0o7777, 0o444);
    assert.equal(fs.existsSync(join(path, '.part')), false);
    file.discard(); // nothing any more
    assert.equal(fs.existsSync(join(path, 'f')), true);
  });

  it('that was kept is resumed where it ended, and can be read from its first byte', (t) => {
    const { path, root } = setUp(t);
    const first = StagedFile.resume(root, '.part');
    assert.equal(first.size, 0);
    first.write(Buffer.alloc(2 ** 20, 'a'));
    first.write(Buffer.from('b'));
    first.keep();
    const second = StagedFile.resume(root, '.part');
    assert.equal(second.size, 2 ** 20 + 1);
    const chunks = [...second.contents()].map((chunk) => chunk.length);
    assert.deepEqual(chunks, [2 ** 20, 1]);
    second.write(Buffer.from('c'));
    second.commit('f', 0o644);
    assert.equal(fs.readFileSync(join(path, 'f'), 'latin1').slice(-3), 'abc');
  });

  it('can be cut and written on', (t) => {
    const { path, root } = setUp(t);
    const file = StagedFile.fresh(root, '.part');
    file.write(Buffer.from('wrong'));
    file.truncate();
    file.write(Buffer.from('right'));
    file.truncate(4);
    file.commit('f', 0o644);
    assert.equal(fs.readFileSync(join(path, 'f'), 'utf8'), 'righ');
  });

  it('that is discarded leaves nothing, a fresh one takes nothing over', (t) => {
    const { path, root } = setUp(t);
    fs.writeFileSync(join(path, '.part'), 'old');
    const file = StagedFile.fresh(root, '.part');
    assert.equal(file.size, 0);
    file.discard();
    file.discard();
    assert.equal(fs.existsSync(join(path, '.part')), false);
    assert.throws(() => file.write(NEW), /end/);
  });

  it('is not resumed from a link, a FIFO, a file with a second name', (t) => {
    const { path, root } = setUp(t);
    const victim = join(path, 'victim');
    fs.writeFileSync(victim, 'victim');
    for (const leave of [fs.symlinkSync, fs.linkSync, (_: string, part: string) => void spawnSync('mkfifo', [part])]) {
      leave(victim, join(path, '.part'));
      const file = StagedFile.resume(root, '.part');
      assert.equal(file.size, 0);
      file.write(NEW);
      file.discard();
    }
    assert.equal(fs.readFileSync(victim, 'utf8'), 'victim');
  });

  it('is not resumed from a file of another user', needsRoot, (t) => {
    const { path, root } = setUp(t);
    fs.writeFileSync(join(path, '.part'), 'theirs');
    fs.chownSync(join(path, '.part'), 1234, 1234);
    const file = StagedFile.resume(root, '.part');
    assert.equal(file.size, 0);
    file.discard();
  });

  it('on a full disk is as long as before the write that failed, and goes on when there is room', needsRoot, (t) => {
    const { path, root } = setUp(t, tinyDisk(t));
    const file = StagedFile.fresh(root, '.part');
    file.write(Buffer.alloc(2 ** 19, 'a'));
    assert.throws(() => file.write(Buffer.alloc(2 ** 20)), { code: 'DISK_FULL', subject: join(path, '.part') });
    assert.equal(file.size, 2 ** 19);
    assert.equal(fs.statSync(join(path, '.part')).size, 2 ** 19);
    file.write(Buffer.from('b'));
    file.keep();
    assert.equal(fs.statSync(join(path, '.part')).size, 2 ** 19 + 1);
  });
});
