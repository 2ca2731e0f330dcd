import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { bootId } from '../storage/staging.ts';
import { HEAD, listIn, listRefs, type RefPlace, readRef, refspecOf } from './refs.ts';
import { checksumNamed, newRepository } from './repository.fixture.ts';
import type { Repository } from './repository.ts';
import { removeRef, writeAlias, writeRefs } from './write-refs.ts';

const A = checksumNamed('a');
const B = checksumNamed('b');
const ORIGIN: RefPlace = { kind: 'remote', remote: 'origin' };
const MIRROR: RefPlace = { kind: 'mirror', collection: 'org.example.Os' };

function write(repository: Repository, ref: string, commit = A, place = HEAD, fsync = true): void {
  writeRefs(repository, [{ place, ref, commit }], fsync);
}

function remove(repository: Repository, ref: string, place: RefPlace, fsync: boolean): void {
  writeRefs(repository, [{ place, ref, commit: undefined }], fsync);
}

function refs(repository: Repository): string[] {
  return listRefs(repository).map(refspecOf);
}

function put(repository: Repository, path: string, text: string): void {
  const target = join(repository.path, 'refs', path);
  fs.mkdirSync(dirname(target), { recursive: true });
  fs.writeFileSync(target, text);
}

function link(t: TestContext, name: string, target: string): Repository {
  const repository = newRepository(t);
  write(repository, 'a');
  fs.symlinkSync(target, join(repository.path, 'refs/heads', name));
  return repository;
}

describe('a ref', () => {
  for (const [place, folder] of [
    [HEAD, 'heads'],
    [ORIGIN, 'remotes/origin'],
    [MIRROR, 'mirrors/org.example.Os'],
  ] as const) {
    for (const fsync of [true, false]) {
      it(`below ${folder} is a file of 65 bytes and mode 0644, ${fsync ? '' : 'not '}flushed`, (t) => {
        const repository = newRepository(t);
        const umask = process.umask(0o077);
        t.after(() => process.umask(umask));
        write(repository, 'os/stable', A, place, fsync);
        const file = join(repository.path, 'refs', folder, 'os/stable');
        assert.equal(fs.readFileSync(file, 'latin1'), `${A}\n`);
        assert.equal(fs.statSync(file).mode & 0o7777, 0o644);
        assert.deepEqual(fs.readdirSync(dirname(file)), ['stable']);
        assert.equal(readRef(repository, place, 'os/stable'), A);
        write(repository, 'os/stable', B, place, fsync);
        assert.equal(readRef(repository, place, 'os/stable'), B);
        remove(repository, 'os/stable', place, fsync);
        assert.equal(readRef(repository, place, 'os/stable'), undefined);
      });
    }
  }

  it('of the own collection is a head', (t) => {
    const repository = newRepository(t);
    repository.updateConfig((file) => file.set('core', 'collection-id', 'org.example.Os'));
    write(repository, 'a', A, MIRROR);
    assert.equal(readRef(repository, HEAD, 'a'), A);
    assert.equal(readRef(repository, MIRROR, 'a'), A);
    assert.deepEqual(listRefs(repository), [{ place: HEAD, ref: 'a', commit: A, alias: undefined }]);
  });

  it('may have a name of 255 bytes, and of letters of four bytes', (t) => {
    const repository = newRepository(t);
    for (const name of ['a'.repeat(255), 'ü'.repeat(127), '漢'.repeat(85), '𝒳'.repeat(63)]) {
      for (const fsync of [true, false]) write(repository, name, A, HEAD, fsync);
      assert.equal(readRef(repository, HEAD, name), A);
    }
    assert.equal(refs(repository).length, 4);
  });

  it('may have 64 parts, and is listed then', (t) => {
    const repository = newRepository(t);
    const deep = Array.from({ length: 64 }, () => 'a').join('/');
    write(repository, deep);
    assert.deepEqual(refs(repository), [deep]);
    assert.throws(() => write(repository, `${deep}/a`), { code: 'REF_NAME' });
    put(repository, `heads/${deep.replaceAll('a', 'b')}/b`, `${A}\n`);
    assert.throws(() => listRefs(repository), { code: 'TOO_LARGE' }, 'or prune would take its commit');
  });

  it('may be named as the directories of objects that a killed run has left in tmp', (t) => {
    const repository = newRepository(t);
    const staging = `tmp/staging-${bootId()}-abcdef`;
    const object = join(repository.path, staging, `ab/${A.slice(2)}.dirtree`);
    fs.mkdirSync(dirname(object), { recursive: true });
    fs.writeFileSync(object, '');
    for (const fsync of [true, false]) {
      write(repository, 'ab', A, HEAD, fsync);
      assert.equal(readRef(repository, HEAD, 'ab'), A);
    }
    writeAlias(repository, 'x/ab', 'ab');
    assert.equal(fs.existsSync(object), true, 'for the next transaction');
    assert.deepEqual(fs.readdirSync(join(repository.path, staging)), ['ab']);
    fs.rmSync(object);
    write(repository, 'ab');
    assert.deepEqual(fs.readdirSync(join(repository.path, 'tmp')), []);
  });

  it('is read without the white space behind it', (t) => {
    const repository = newRepository(t);
    put(repository, 'heads/a', `${A} \n\n`);
    assert.equal(readRef(repository, HEAD, 'a'), A);
  });

  for (const [flaw, text] of [
    ['empty', ''],
    ['too short', A.slice(1)],
    ['in upper case', A.toUpperCase()],
    ['two checksums', `${A}\n${B}\n`],
  ] as const) {
    it(`whose file is ${flaw} is malformed`, (t) => {
      const repository = newRepository(t);
      put(repository, 'heads/a', text);
      assert.throws(() => readRef(repository, HEAD, 'a'), { code: 'OBJECT_MALFORMED' });
      write(repository, 'a');
      assert.equal(readRef(repository, HEAD, 'a'), A);
    });
  }

  it('whose file is large is not read', (t) => {
    const repository = newRepository(t);
    put(repository, 'heads/a', `${A}\n`.repeat(1000));
    assert.throws(() => readRef(repository, HEAD, 'a'), { code: 'TOO_LARGE' });
  });

  it('that is a FIFO is refused at once', (t) => {
    const repository = newRepository(t);
    spawnSync('mkfifo', [join(repository.path, 'refs/heads/a')]);
    assert.throws(() => readRef(repository, HEAD, 'a'), { code: 'NOT_A_REGULAR_FILE' });
  });

  it('is looked for under good names only', (t) => {
    const repository = newRepository(t);
    for (const name of ['../../config', '.', '']) {
      assert.throws(() => readRef(repository, HEAD, name), { code: 'REF_NAME' });
      assert.throws(() => write(repository, name), { code: 'REF_NAME' });
    }
    for (const remote of ['..', 'a/b', '']) {
      assert.throws(() => readRef(repository, { kind: 'remote', remote }, 'a'), { code: 'REF_NAME' });
    }
    assert.throws(() => readRef(repository, { kind: 'mirror', collection: '..' }, 'a'), { code: 'REF_NAME' });
  });
});

describe('a ref and refs below its name', () => {
  it('exclude each other', (t) => {
    const repository = newRepository(t);
    write(repository, 'a');
    assert.throws(() => write(repository, 'a/b'), { code: 'NOT_A_DIRECTORY' });
    assert.equal(readRef(repository, HEAD, 'a/b'), undefined);
    assert.equal(removeRef(repository, HEAD, 'a/b'), false);
    write(repository, 'c/d/e');
    for (const name of ['c', 'c/d']) {
      assert.throws(() => write(repository, name), { code: 'REF_EXISTS' });
      assert.throws(() => writeAlias(repository, name, 'a'), { code: 'REF_EXISTS' });
      assert.equal(readRef(repository, HEAD, name), undefined);
      assert.equal(removeRef(repository, HEAD, name), false);
    }
    assert.deepEqual(refs(repository), ['a', 'c/d/e']);
  });

  it('a directory without refs goes, with what killed runs left in it', (t) => {
    const repository = newRepository(t);
    write(repository, 'a/b/c');
    write(repository, 'a/d/e');
    removeRef(repository, HEAD, 'a/b/c');
    removeRef(repository, HEAD, 'a/d/e');
    put(repository, 'heads/a/d/.e-17', 'half');
    write(repository, 'a');
    assert.deepEqual(refs(repository), ['a']);
  });
});

describe('refs', () => {
  it('that are written together are flushed together', (t) => {
    const repository = newRepository(t);
    const flushes = t.mock.method(fs, 'fsyncSync');
    const changes = Array.from({ length: 40 }, (_, i) => ({ place: HEAD, ref: `layers/${i}`, commit: A }));
    writeRefs(repository, changes, true);
    assert.equal(listRefs(repository).length, 40);
    assert.ok(flushes.mock.callCount() < 8, 'folders that were made, folders that gained or lost names');
    flushes.mock.resetCalls();
    const removals = changes.map((change) => ({ ...change, commit: undefined }));
    writeRefs(repository, [...removals, { place: HEAD, ref: 'layers/1', commit: B }], true);
    assert.deepEqual(listRefs(repository), [{ place: HEAD, ref: 'layers/1', commit: B, alias: undefined }]);
    assert.equal(flushes.mock.callCount(), 3, 'the new file, its folder, the one it came from');
  });

  it('change in their order, one after the other', (t) => {
    const repository = newRepository(t);
    write(repository, 'a');
    const changes = [
      { place: HEAD, ref: 'a', commit: undefined },
      { place: HEAD, ref: 'a/b', commit: A },
      { place: HEAD, ref: 'a/b', commit: B },
    ];
    writeRefs(repository, changes, true);
    assert.deepEqual(listRefs(repository), [{ place: HEAD, ref: 'a/b', commit: B, alias: undefined }]);
  });

  it('are not changed at all when one of the names is bad', (t) => {
    const repository = newRepository(t);
    const [good, bad] = [
      { place: HEAD, ref: 'a', commit: A },
      { place: HEAD, ref: '..', commit: A },
    ];
    assert.throws(() => writeRefs(repository, [good, bad], true), { code: 'REF_NAME' });
    assert.deepEqual(refs(repository), []);
  });

  it('leave nothing behind when one of them cannot be written', (t) => {
    const repository = newRepository(t);
    write(repository, 'a/b');
    const staging = `tmp/staging-${bootId()}-abcdef/ab`;
    fs.mkdirSync(join(repository.path, staging), { recursive: true });
    fs.writeFileSync(join(repository.path, staging, `${A.slice(2)}.dirtree`), '');
    const changes = ['x', 'a', 'y'].map((ref) => ({ place: HEAD, ref, commit: A }));
    assert.throws(() => writeRefs(repository, changes, true), { code: 'REF_EXISTS' });
    assert.deepEqual(refs(repository), ['a/b', 'x']);
    assert.deepEqual(fs.readdirSync(join(repository.path, staging, '..')), ['ab']);
  });

  it('are listed by place and name, temporary names never', (t) => {
    const repository = newRepository(t);
    for (const name of ['b', 'a/b', 'a.b', 'ü', 'Z']) write(repository, name);
    write(repository, 'r', A, ORIGIN);
    write(repository, 'm', B, MIRROR);
    put(repository, 'heads/.new-17', 'half');
    put(repository, 'heads/a/.x', 'half');
    put(repository, 'heads/not a ref', 'x');
    put(repository, 'heads/.hidden/a', 'x');
    assert.deepEqual(refs(repository), ['Z', 'a.b', 'a/b', 'b', 'ü', 'origin:r', 'm']);
    assert.deepEqual(listIn(repository, MIRROR), [{ place: MIRROR, ref: 'm', commit: B, alias: undefined }]);
    assert.deepEqual(listIn(repository, { kind: 'remote', remote: 'none' }), []);
  });

  it('that are written renew the time of the repository, also of one that is not ours', (t) => {
    const repository = newRepository(t);
    const past = 1_000_000_000;
    const isRenewed = (): boolean => {
      const { mtimeMs } = fs.statSync(repository.path);
      fs.utimesSync(repository.path, past, past);
      return Math.abs(mtimeMs - Date.now()) < 60_000;
    };
    assert.ok(isRenewed());
    writeRefs(repository, [], true);
    assert.ok(!isRenewed());
    write(repository, 'a');
    assert.ok(isRenewed());
    remove(repository, 'a', HEAD, false);
    assert.ok(isRenewed());
    const { futimesSync } = fs;
    t.mock.method(fs, 'futimesSync', (...args: Parameters<typeof futimesSync>) => {
      if (args[0] !== repository.directory.fd) return futimesSync(...args);
      throw Object.assign(new Error('not the owner'), { code: 'EPERM', errno: -1, syscall: 'futime' });
    });
    write(repository, 'a');
    assert.ok(isRenewed());
    assert.ok(!fs.readdirSync(repository.path).some((name) => name.startsWith('.new')));
  });
});

describe('an alias', () => {
  it('is a relative link to another ref of its folder', (t) => {
    const repository = newRepository(t);
    write(repository, 'a/b');
    writeAlias(repository, 'x', 'a/b');
    writeAlias(repository, 'y/z', 'x');
    assert.equal(fs.readlinkSync(join(repository.path, 'refs/heads/x')), 'a/b');
    assert.equal(fs.readlinkSync(join(repository.path, 'refs/heads/y/z')), '../x');
    assert.equal(readRef(repository, HEAD, 'y/z'), A);
    const aliases = listRefs(repository).map(({ ref, alias }) => [ref, alias]);
    assert.deepEqual(aliases, [
      ['a/b', undefined],
      ['x', 'a/b'],
      ['y/z', 'x'],
    ]);
    write(repository, 'x', B);
    assert.equal(fs.lstatSync(join(repository.path, 'refs/heads/x')).isFile(), true, 'writing replaces the alias');
    assert.equal(readRef(repository, HEAD, 'a/b'), A);
  });

  it('of nothing cannot be made, and one that leads nowhere is not listed', (t) => {
    const repository = newRepository(t);
    assert.throws(() => writeAlias(repository, 'x', 'none'), { code: 'REF_MISSING' });
    fs.symlinkSync('none', join(repository.path, 'refs/heads/x'));
    assert.equal(readRef(repository, HEAD, 'x'), undefined);
    assert.deepEqual(listRefs(repository), []);
    assert.equal(removeRef(repository, HEAD, 'x'), true);
  });

  for (const target of ['../../../config', '../a', '/etc/passwd', 'x', './x', '.']) {
    it(`that leads to ${JSON.stringify(target)} is refused`, (t) => {
      const repository = link(t, 'x', target);
      assert.throws(() => readRef(repository, HEAD, 'x'), { code: 'REF_NAME' });
    });
  }

  it('that leads round in circles is refused', (t) => {
    const repository = link(t, 'x', 'y');
    fs.symlinkSync('x', join(repository.path, 'refs/heads/y'));
    assert.throws(() => readRef(repository, HEAD, 'x'), { code: 'REF_NAME' });
    assert.throws(() => listRefs(repository), { code: 'REF_NAME' });
  });

  it('of an alias is followed eight times', (t) => {
    const repository = link(t, 'x1', 'a');
    for (let i = 2; i <= 9; i++) fs.symlinkSync(`x${i - 1}`, join(repository.path, `refs/heads/x${i}`));
    assert.equal(readRef(repository, HEAD, 'x8'), A);
    assert.throws(() => readRef(repository, HEAD, 'x9'), { code: 'REF_NAME' });
  });
});
