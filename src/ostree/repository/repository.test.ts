import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import type { RepositoryMode } from './config.ts';
import { newRepository } from './repository.fixture.ts';
import { createRepository, openRepository } from './repository.ts';

const FOLDERS = ['extensions', 'objects', 'refs', 'refs/heads', 'refs/mirrors', 'refs/remotes', 'state', 'tmp'];

function modeOf(path: string): string {
  const repository = openRepository(path);
  repository.close();
  return repository.mode;
}

describe('a new repository', () => {
  for (const mode of ['archive', 'bare', 'bare-user', 'bare-user-only'] satisfies RepositoryMode[]) {
    it(`of mode ${mode} has all directories and the config that libostree writes`, (t) => {
      const path = join(scratch(t), 'a/b/repo');
      const umask = process.umask(0o027);
      t.after(() => process.umask(umask));
      assert.equal(createRepository(path, { mode }), true);
      const name = mode === 'archive' ? 'archive-z2' : mode;
      assert.equal(fs.readFileSync(join(path, 'config'), 'latin1'), `[core]\nrepo_version=1\nmode=${name}\n`);
      assert.equal(fs.statSync(join(path, 'config')).mode & 0o7777, 0o644);
      assert.deepEqual(fs.readdirSync(path, { recursive: true }).sort(), ['config', ...FOLDERS].sort());
      for (const folder of ['.', ...FOLDERS])
        assert.equal(fs.statSync(join(path, folder)).mode & 0o7777, 0o750, folder);
      assert.equal(modeOf(path), mode);
    });
  }

  it('knows its collection', (t) => {
    const path = join(scratch(t), 'repo');
    createRepository(path, { mode: 'archive', collectionId: 'org.example.Os' });
    const repository = openRepository(path);
    t.after(() => repository.close());
    assert.equal(repository.config.collectionId, 'org.example.Os');
    const bad = join(scratch(t), 'bad');
    assert.throws(() => createRepository(bad, { mode: 'archive', collectionId: 'x\n[y]' }), {
      code: 'CONFIG_MALFORMED',
    });
    assert.equal(fs.existsSync(join(bad, 'config')), false);
  });

  it('may be made in a directory that is there, beside what is in it', (t) => {
    const path = scratch(t);
    fs.writeFileSync(join(path, 'other'), 'x');
    fs.mkdirSync(join(path, 'refs/heads'), { recursive: true });
    createRepository(path, { mode: 'bare-user' });
    assert.equal(fs.readFileSync(join(path, 'other'), 'latin1'), 'x');
    assert.equal(modeOf(path), 'bare-user');
  });

  it('that is there already stays as it is, and another mode is refused', (t) => {
    const { path } = newRepository(t, 'bare-user');
    fs.appendFileSync(join(path, 'config'), 'fsync=false\n');
    const before = fs.readFileSync(join(path, 'config'), 'latin1');
    assert.equal(createRepository(path, { mode: 'bare-user' }), false);
    assert.throws(() => createRepository(path, { mode: 'archive' }), { code: 'REPOSITORY_EXISTS' });
    assert.equal(fs.readFileSync(join(path, 'config'), 'latin1'), before);
  });

  for (const made of [[], ['tmp'], ['tmp', 'state', 'refs', 'refs/heads']]) {
    it(`of which only config${made.map((name) => `, ${name}`).join('')} was made is finished`, (t) => {
      const path = scratch(t);
      fs.writeFileSync(join(path, 'config'), '[core]\nrepo_version=1\nmode=bare\n');
      fs.writeFileSync(join(path, '.config.new'), '[core');
      for (const folder of made) fs.mkdirSync(join(path, folder));
      assert.throws(() => openRepository(path), { code: 'NOT_A_REPOSITORY' });
      assert.equal(createRepository(path, { mode: 'bare' }), true);
      assert.equal(modeOf(path), 'bare');
    });
  }

  it('is not made over a config of somebody else', (t) => {
    const path = scratch(t);
    fs.writeFileSync(join(path, 'config'), 'Host example.org\n  User me\n');
    assert.throws(() => createRepository(path, { mode: 'bare' }), { code: 'CONFIG_MALFORMED' });
    assert.deepEqual(fs.readdirSync(path), ['config']);
    fs.writeFileSync(join(path, 'config'), '[core]\nrepo_version=1\nmode=archive-z2\n');
    assert.throws(() => createRepository(path, { mode: 'bare' }), { code: 'REPOSITORY_EXISTS' });
  });

  it('cannot be of a mode that is only read, nor in the place of a file', (t) => {
    const path = join(scratch(t), 'repo');
    assert.throws(() => createRepository(path, { mode: 'bare-split-xattrs' }), { code: 'REPOSITORY_MODE' });
    assert.equal(fs.existsSync(path), false);
    fs.writeFileSync(path, '');
    assert.throws(() => createRepository(path, { mode: 'bare' }));
  });
});

describe('opening a repository', () => {
  it('refuses what is none', (t) => {
    const path = scratch(t);
    assert.throws(() => openRepository(join(path, 'none')), { code: 'ENOENT' });
    assert.throws(() => openRepository(path), { code: 'NOT_A_REPOSITORY' });
    fs.mkdirSync(join(path, 'objects'));
    assert.throws(() => openRepository(path), { code: 'NOT_A_REPOSITORY' });
    fs.writeFileSync(join(path, 'config'), '[core]\nrepo_version=2\n');
    assert.throws(() => openRepository(path), { code: 'CONFIG_MALFORMED' });
    fs.writeFileSync(join(path, 'config'), Buffer.from('[core]\nrepo_version=1\nmode=\xff\n', 'latin1'));
    assert.throws(() => openRepository(path), { code: 'CONFIG_MALFORMED' });
    fs.writeFileSync(join(path, 'config'), Buffer.alloc(2 ** 20 + 1, '\n'));
    assert.throws(() => openRepository(path), { code: 'TOO_LARGE' });
  });

  it('closes everything when it fails', (t) => {
    const path = scratch(t);
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 20; i++) assert.throws(() => openRepository(path));
    const repositories = [newRepository(t), newRepository(t)];
    for (const [i, repository] of repositories.entries()) {
      repository.updateConfig((file) => file.set('core', 'parent', repositories[1 - i]?.path ?? ''));
      repository.close();
    }
    for (let i = 0; i < 20; i++) assert.throws(() => openRepository(repositories[0]?.path ?? ''));
    assert.equal(count(), before);
  });

  it('opens its parents, by a relative path, too, but not in a circle', (t) => {
    const folder = scratch(t);
    const [a, b, c] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')];
    const chain = (from: string, to: string): void => {
      fs.writeFileSync(join(from, 'config'), `[core]\nrepo_version=1\nmode=bare\nparent=${to}\n`);
    };
    for (const path of [a, b, c]) createRepository(path, { mode: 'bare' });
    chain(a, '../b');
    chain(b, c);
    const repository = openRepository(a);
    t.after(() => repository.close());
    assert.equal(repository.parent?.parent?.path, c);
    assert.equal(repository.parent?.parent?.parent, undefined);
    chain(c, a);
    assert.throws(() => openRepository(a), { code: 'CONFIG_MALFORMED' });
    chain(c, c);
    assert.throws(() => openRepository(a), { code: 'CONFIG_MALFORMED' });
    chain(c, '../none');
    assert.throws(() => openRepository(a), { code: 'ENOENT' });
  });
});

describe('the config of a repository', () => {
  it('is rewritten without losing what others wrote, and only when the result is valid', (t) => {
    const repository = newRepository(t);
    const file = join(repository.path, 'config');
    const others = '# mine\n[core]\nrepo_version=1\nmode=archive-z2\nunknown = x \n\n[ex-other]\nkey=a;b;\n';
    fs.writeFileSync(file, others);
    repository.updateConfig((keys) => keys.set('core', 'fsync', 'false'));
    assert.equal(
      fs.readFileSync(file, 'latin1'),
      '# mine\n[core]\nrepo_version=1\nmode=archive-z2\nunknown = x \nfsync=false\n\n[ex-other]\nkey=a;b;\n',
    );
    assert.equal(repository.config.fsync, false);
    const before = fs.readFileSync(file, 'latin1');
    assert.throws(() => repository.updateConfig((keys) => keys.set('core', 'fsync', 'perhaps')), {
      code: 'CONFIG_MALFORMED',
    });
    assert.equal(fs.readFileSync(file, 'latin1'), before);
    assert.equal(repository.config.fsync, false);
    assert.deepEqual(fs.readdirSync(join(repository.path, 'tmp')), []);
  });

  it('whose config only its owner may read keeps it so', (t) => {
    const repository = newRepository(t);
    const file = join(repository.path, 'config');
    assert.equal(fs.statSync(file).mode & 0o777, 0o644);
    fs.chmodSync(file, 0o600);
    repository.updateConfig((keys) => keys.set('remote "a"', 'proxy', 'http://user:secret@proxy/'));
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  });
});
