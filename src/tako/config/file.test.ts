import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { PUBLIC_TEXT } from '../manifest/manifest.fixture.ts';
import { CONFIG_LIMIT } from './config.ts';
import { configDirectory, listConfigs, loadConfig } from './file.ts';

const isRoot = process.getuid?.() === 0;
const PLAIN = 'https://example.com/app/';
const WITH_PASSWORD = 'https://me:secret@example.com/app/';

function write(t: TestContext, mode: number, origin = PLAIN, more = ''): string {
  const path = join(scratch(t), 'app');
  fs.writeFileSync(path, `Origin=${origin}\nPublicKey=${PUBLIC_TEXT}\nVersion=1.*\nDestination=/srv/app\n${more}`);
  fs.chmodSync(path, mode);
  return path;
}

describe('a configuration file', () => {
  it('is read under the name it was given', (t) => {
    const path = write(t, 0o644);
    const config = loadConfig(path);
    assert.deepEqual([config.path, config.destination, config.pattern.text], [path, '/srv/app', '1.*']);
  });

  it('may be read by everybody, and when it is private by nobody else', (t) => {
    for (const mode of [0o644, 0o600, 0o444, 0o640]) assert.equal(loadConfig(write(t, mode)).destination, '/srv/app');
  });

  for (const more of ['', 'HealthCheck=/bin/true\n']) {
    it(`that others may write is refused${more === '' ? '' : ', with a command in it'}`, (t) => {
      for (const mode of [0o666, 0o646, 0o602]) {
        assert.throws(() => loadConfig(write(t, mode, PLAIN, more)), { code: 'UNSAFE_OWNER' });
      }
    });
  }

  it('that a group may write is refused for root, and only for root', (t) => {
    const path = write(t, 0o664);
    if (isRoot) assert.throws(() => loadConfig(path), { code: 'UNSAFE_OWNER', hint: `chmod g-w ${path}` });
    else assert.equal(loadConfig(path).path, path);
  });

  it('with a password that others may read is refused, with the command that mends it', (t) => {
    for (const mode of [0o644, 0o604]) {
      const path = write(t, mode, WITH_PASSWORD);
      assert.throws(() => loadConfig(path), { code: 'UNSAFE_OWNER', hint: `chmod o-r ${path}`, subject: path });
    }
    assert.equal(loadConfig(write(t, 0o600, WITH_PASSWORD)).secret.password, true);
  });

  it('of another user is refused, whatever is in it', { skip: needs('root') }, (t) => {
    const path = write(t, 0o600);
    fs.chownSync(path, 65534, 65534);
    assert.throws(() => loadConfig(path), { code: 'UNSAFE_OWNER', hint: `chown root ${path}` });
  });

  it('with a password that a group may read is refused for root', { skip: needs('root') }, (t) => {
    const path = write(t, 0o640, WITH_PASSWORD);
    assert.equal(loadConfig(path).path, path, 'the group of root');
    fs.chownSync(path, 0, 65534);
    assert.throws(() => loadConfig(path), { code: 'UNSAFE_OWNER', hint: `chmod g-r ${path}` });
  });

  it('is judged by its owner before it is read: what another user wrote shows in no error', {
    skip: needs('root'),
  }, (t) => {
    const path = write(t, 0o600);
    fs.writeFileSync(path, 'Nonsense=1\n');
    fs.chownSync(path, 65534, 65534);
    assert.throws(() => loadConfig(path), { code: 'UNSAFE_OWNER' });
  });

  it('may be reached by a link that nobody else could change', (t) => {
    const path = write(t, 0o644);
    fs.symlinkSync(path, `${path}-link`);
    assert.equal(loadConfig(`${path}-link`).path, `${path}-link`);
  });

  it('by a link in a directory where everybody may write is refused', { skip: needs('root') }, (t) => {
    const path = write(t, 0o644);
    const shared = join(scratch(t), 'shared');
    fs.mkdirSync(shared);
    fs.chmodSync(shared, 0o777);
    fs.symlinkSync(path, join(shared, 'app'));
    assert.throws(() => loadConfig(join(shared, 'app')), { code: 'UNSAFE_LINK' });
  });

  it('that is not there has an error of its own', (t) => {
    const path = join(scratch(t), 'none');
    assert.throws(() => loadConfig(path), { name: 'TakoError', code: 'NO_CONFIG', subject: path });
    assert.throws(() => loadConfig(join(path, 'below')), { code: 'NO_CONFIG' });
    fs.symlinkSync('nowhere', path);
    assert.throws(() => loadConfig(path), { code: 'NO_CONFIG' });
  });

  it('is a regular file', (t) => {
    assert.throws(() => loadConfig(scratch(t)), { code: 'NOT_A_REGULAR_FILE' });
    assert.throws(() => loadConfig('/dev/null'), { code: 'NOT_A_REGULAR_FILE' });
  });

  it('has a largest size', (t) => {
    const path = write(t, 0o644);
    const text = fs.readFileSync(path, 'utf8');
    fs.writeFileSync(path, `#${'x'.repeat(CONFIG_LIMIT - text.length - 2)}\n${text}`);
    assert.equal(loadConfig(path).destination, '/srv/app');
    fs.appendFileSync(path, '\n');
    assert.throws(() => loadConfig(path), { code: 'TOO_LARGE' });
  });

  it('with a mistake is refused as its text is', (t) => {
    assert.throws(() => loadConfig(write(t, 0o644, PLAIN, 'Restrat=x\n')), { code: 'INVALID_CONFIG' });
  });
});

describe('the directory of configurations', () => {
  it("is the system's for root, whatever the environment", () => {
    assert.equal(configDirectory({ XDG_CONFIG_HOME: '/x', HOME: '/home/me' }, 0), '/etc/tako');
  });

  it("is the user's own for others", () => {
    assert.equal(configDirectory({ XDG_CONFIG_HOME: '/x', HOME: '/home/me' }, 1000), '/x/tako');
    assert.equal(configDirectory({ HOME: '/home/me' }, 1000), '/home/me/.config/tako');
    assert.equal(configDirectory({ XDG_CONFIG_HOME: '', HOME: '/home/me' }, 1000), '/home/me/.config/tako');
    assert.match(configDirectory({}, 1000), /^\/.*\/\.config\/tako$/);
  });

  it('gives its regular files in the order of their names', (t) => {
    const root = scratch(t);
    for (const name of ['b', 'a.tako', 'app-10', 'app-2', 'B']) fs.writeFileSync(join(root, name), '');
    assert.deepEqual(
      listConfigs(root),
      ['B', 'a.tako', 'app-10', 'app-2', 'b'].map((name) => join(root, name)),
    );
  });

  it('does not give what editors and package managers leave behind, hidden files, and what is no file', (t) => {
    const root = scratch(t);
    const left = [
      '.hidden',
      'app~',
      'app.bak',
      'app.new',
      'app.dpkg-old',
      'app.dpkg-new',
      'app.dpkg-dist',
      'app.dpkg-tmp',
    ];
    const kept = ['app', 'new', 'bak', 'app.news', 'app-bak', 'rpm', 'dpkg-x', 'app.conf'];
    for (const name of [...left, 'app.rpmnew', 'app.rpmsave', 'app.rpmorig', ...kept])
      fs.writeFileSync(join(root, name), '');
    fs.mkdirSync(join(root, 'directory'));
    assert.deepEqual(
      listConfigs(root).map((path) => basename(path)),
      [...kept].sort(),
    );
  });

  it('that does not exist, or is empty, gives none', (t) => {
    const root = scratch(t);
    assert.deepEqual([listConfigs(root), listConfigs(join(root, 'none'))], [[], []]);
  });

  it('that is none is an error', (t) => {
    const path = join(scratch(t), 'file');
    fs.writeFileSync(path, '');
    assert.throws(() => listConfigs(path), { code: 'ENOTDIR' });
  });
});
