import assert from 'node:assert/strict';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../test/support/needs.ts';
import { codeOf } from '../../base/error.ts';
import { auths, basic, CONFIG, DOCKER, encoded, login, RUNTIME, SECRET, user } from './credentials.fixture.ts';
import { credentialsHint, findCredentials } from './find-credentials.ts';

describe('the files of the containers tools', () => {
  it('are looked at in their order, existing or not, and all of them are named', async (t) => {
    const { search, dir } = user(t);
    const { lookedAt, credentials, source } = await findCredentials(search, 'quay.io', 'a/b');
    assert.deepEqual([credentials, source], [undefined, undefined]);
    assert.deepEqual(
      lookedAt.map((path) => path.slice(dir.length + 1)),
      [RUNTIME, CONFIG, DOCKER, 'home/.dockercfg'],
    );
    const hint = credentialsHint({ lookedAt, credentials, source });
    for (const path of lookedAt) assert.ok(hint.includes(path), hint);
  });

  it('give what the first of them knows of the registry, not what the first of them is', async (t) => {
    const { find, write, search, dir } = user(t, { [DOCKER]: auths({ 'quay.io': login('docker') }) });
    assert.deepEqual(await find('quay.io'), basic('docker'));
    write(CONFIG, auths({ 'quay.io': {}, 'ghcr.io': login('other') }));
    assert.deepEqual(await find('quay.io'), basic('docker'));
    write(RUNTIME, auths({ 'quay.io': login('runtime') }));
    assert.deepEqual(await find('quay.io'), basic('runtime'));
    assert.equal((await findCredentials(search, 'quay.io', '')).source, join(dir, RUNTIME));
  });

  it('begin with the one that the user names, which has to exist', async (t) => {
    const { find, write, env } = user(t, {
      [RUNTIME]: auths({ 'quay.io': login('runtime') }),
      [DOCKER]: auths({ 'quay.io': login('docker'), 'ghcr.io': login('docker') }),
    });
    const authFile = write('mine.json', auths({ 'quay.io': login('mine') }));
    assert.deepEqual(await find('quay.io', '', { authFile }), basic('mine'));
    assert.deepEqual(await find('ghcr.io', '', { authFile }), basic('docker'));
    assert.deepEqual(await find('quay.io', '', { env: { ...env, REGISTRY_AUTH_FILE: authFile } }), basic('mine'));
    const other = write('other.json', auths({ 'quay.io': login('other') }));
    const both = { env: { ...env, REGISTRY_AUTH_FILE: authFile }, authFile: other };
    assert.deepEqual(await find('quay.io', '', both), basic('other'));
    const missing = find('quay.io', '', { authFile: '/no/such/file.json' });
    await assert.rejects(missing, { code: 'BAD_CREDENTIALS_FILE', subject: '/no/such/file.json' });
  });

  it('are for root those of its session and those without one', async (t) => {
    const { find, env } = user(t, { 'root/run/containers/0/auth.json': auths({ 'quay.io': login('root') }) }, 0);
    assert.deepEqual(await find('quay.io'), basic('root'));
    assert.deepEqual(await find('quay.io', '', { env: { HOME: env.HOME } }), basic('root'));
    assert.equal(await find('quay.io', '', { uid: 7 }), undefined);
  });

  it('follow DOCKER_CONFIG and XDG_CONFIG_HOME', async (t) => {
    const { find, dir, env } = user(t, {
      'elsewhere/config.json': auths({ 'quay.io': login('docker') }),
      'xdg/containers/auth.json': auths({ 'ghcr.io': login('xdg') }),
    });
    const moved = { env: { ...env, DOCKER_CONFIG: join(dir, 'elsewhere'), XDG_CONFIG_HOME: join(dir, 'xdg') } };
    assert.deepEqual(await find('quay.io', '', moved), basic('docker'));
    assert.deepEqual(await find('ghcr.io', '', moved), basic('xdg'));
    assert.equal(await find('quay.io'), undefined);
  });
});

describe('the files of commands that pull into a repository', () => {
  it('are their own, and the first that exists is the only one', async (t) => {
    const { find, write } = user(t, { [DOCKER]: auths({ 'quay.io': login('docker') }) }, 0);
    const order = 'ostree' as const;
    assert.equal(await find('quay.io', '', { order }), undefined);
    write('root/usr/lib/ostree/auth.json', auths({ 'quay.io': login('usr') }));
    assert.deepEqual(await find('quay.io', '', { order }), basic('usr'));
    write('root/etc/ostree/auth.json', auths({ 'quay.io': login('etc') }));
    assert.deepEqual(await find('quay.io', '', { order }), basic('etc'));
    write('root/run/ostree/auth.json', auths({}));
    assert.equal(await find('quay.io', '', { order }), undefined);
    const authFile = write('mine.json', auths({ 'quay.io': login('mine') }));
    assert.deepEqual(await find('quay.io', '', { order, authFile }), basic('mine'));
    assert.equal(await find('ghcr.io', '', { order, authFile }), undefined);
  });

  it('are for users in their session and configuration', async (t) => {
    const { search, dir } = user(t);
    const { lookedAt } = await findCredentials({ ...search, order: 'ostree' }, 'quay.io', '');
    const expected = ['run-user/ostree/auth.json', 'home/.config/ostree/auth.json'];
    assert.deepEqual(
      lookedAt,
      expected.map((name) => join(dir, name)),
    );
  });
});

describe('an entry', () => {
  it('for the closest namespace wins', async (t) => {
    const keys = ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a', '127.0.0.1:5000'];
    const { find } = user(t, { [CONFIG]: auths(Object.fromEntries(keys.map((key) => [key, login(key)]))) });
    for (const [repository, name] of [
      ['a/b', keys[0]],
      ['a/b/c', keys[0]],
      ['a/bc', keys[1]],
      ['ab', keys[2]],
    ] as const) {
      const [username, ...rest] = (name ?? '').split(':');
      assert.deepEqual(await find('127.0.0.1:5000', repository), basic(username ?? '', `${rest.join(':')}:${SECRET}`));
    }
    assert.equal(await find('127.0.0.1', 'a/b'), undefined);
  });

  for (const [key, host] of [
    ['https://quay.io/v1/', 'quay.io'],
    ['http://quay.io', 'quay.io'],
    ['quay.io/v2/', 'quay.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
  ] as const) {
    it(`of the old form ${key} is for ${host}`, async (t) => {
      const { find } = user(t, { [DOCKER]: auths({ [key]: login('joe') }) });
      assert.deepEqual(await find(host, 'library/x'), basic('joe'));
      assert.equal(await find('ghcr.io'), undefined);
    });
  }

  it('for one namespace is not for the whole registry, nor are names of object members', async (t) => {
    const { find } = user(t, { [DOCKER]: auths({ 'quay.io/team': login('team') }) });
    assert.equal(await find('quay.io', 'others/x'), undefined);
    assert.equal(await find('constructor', ''), undefined);
    assert.equal(await find('__proto__', ''), undefined);
  });

  it('may hold an identity token, a registry token, or a name and password apart', async (t) => {
    const { find } = user(t, {
      [DOCKER]: auths({
        'a.test': { auth: encoded('00000000', ''), identitytoken: 'identity' },
        'b.test': { registrytoken: 'registry' },
        'c.test': { username: 'joe', password: SECRET },
        'd.test': { auth: encoded('joe', `pass:word\0\0`) },
      }),
    });
    assert.deepEqual(await find('a.test'), { kind: 'identity-token', token: 'identity' });
    assert.deepEqual(await find('b.test'), { kind: 'bearer', token: 'registry' });
    assert.deepEqual(await find('c.test'), basic('joe'));
    assert.deepEqual(await find('d.test'), basic('joe', 'pass:word'));
  });

  it('without a colon is passed over, and that is said without its text', async (t) => {
    const { find, notes } = user(t, {
      [CONFIG]: auths({ 'quay.io': { auth: Buffer.from(SECRET).toString('base64') } }),
      [DOCKER]: auths({ 'quay.io': login('docker') }),
    });
    assert.deepEqual(await find('quay.io'), basic('docker'));
    assert.equal(notes.length, 1);
    assert.ok(!notes.join().includes(SECRET));
  });

  it('of the oldest file of Docker counts, too', async (t) => {
    const { find } = user(t, { 'home/.dockercfg': { 'https://quay.io/v1/': login('old') } });
    assert.deepEqual(await find('quay.io'), basic('old'));
  });
});

describe('a credentials file', () => {
  for (const [flaw, content] of [
    ['nothing in it', ''],
    ['a mistake in its JSON', `{"auths":{"quay.io":{"auth":"${SECRET}"}}`],
    ['a list', [SECRET]],
    ['auths that are a list', { auths: [SECRET] }],
    ['an entry that is text', { auths: { 'quay.io': SECRET } }],
    ['a number for a login', { auths: { 'quay.io': { auth: 17 } } }],
    ['no base64', { auths: { 'quay.io': { auth: `!${SECRET}!` } } }],
    ['a line break in a token', { auths: { 'quay.io': { identitytoken: `${SECRET}\r\nx: y` } } }],
    ['a helper that is no name', { credHelpers: { 'quay.io': { [SECRET]: 1 } } }],
  ] as const) {
    it(`with ${flaw} is refused by name, and nothing of it is quoted`, async (t) => {
      const { find, dir } = user(t, { [CONFIG]: content });
      await assert.rejects(find('quay.io'), (error: Error & { code: string; subject: string }) => {
        assert.deepEqual([error.code, error.subject], ['BAD_CREDENTIALS_FILE', join(dir, CONFIG)]);
        assert.ok(!`${error.message}${error.cause}`.includes(SECRET), error.message);
        return true;
      });
    });
  }

  it('of any shape is a value or an error with a code', async (t) => {
    const { find, write } = user(t);
    const word = fc.oneof(
      fc.constantFrom('auths', 'credHelpers', 'credsStore', 'quay.io', 'auth', 'username'),
      fc.string(),
    );
    const leaf = fc.oneof(fc.constantFrom('', 'YTpi', '../x', null, 1, true), fc.string());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('tree')), fc.dictionary(word, tie('tree'))),
    }));
    const file = fc.oneof(fc.record({ auths: fc.dictionary(word, tree), credHelpers: tree }), tree, fc.string());
    await fc.assert(
      fc.asyncProperty(file, async (content) => {
        write(CONFIG, typeof content === 'string' ? content : (JSON.stringify(content) ?? ''));
        await find('quay.io').catch((error: unknown) =>
          assert.match(codeOf(error) ?? '', /^(BAD_CREDENTIALS_FILE|CREDENTIAL_HELPER)$/),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('that everybody can read is read; that of another user is not', { skip: needs('root') }, async (t) => {
    const { find, write } = user(t);
    const path = write(CONFIG, auths({ 'quay.io': login('open') }), 0o666);
    assert.deepEqual(await find('quay.io'), basic('open'));
    chownSync(path, 1234, 0);
    await assert.rejects(find('quay.io'), { code: 'UNSAFE_OWNER', subject: path });
  });

  it('that is huge is refused', async (t) => {
    const { find } = user(t, { [CONFIG]: ' '.repeat(5 * 2 ** 20) });
    await assert.rejects(find('quay.io'), { code: 'TOO_LARGE' });
  });
});
