import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { VECTORS } from '../../../test/support/ostree-vectors.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { newRepository, reopened, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { addCookie, cookieHeaders, deleteCookie, parseCookies, readCookies } from './cookies.ts';
import { importKeys, listKeys } from './keyring-file.ts';
import { addRemote, deleteRemote, listRemotes, readRemote } from './remotes.ts';

const options = { signal: SIGNAL };

function repositoryWith(t: TestContext, group: string): Repository {
  const repository = newRepository(t);
  writeFileSync(join(repository.path, 'config'), `[core]\nrepo_version=1\nmode=archive-z2\n\n${group}`);
  return reopened(t, repository.path);
}

describe('a remote', () => {
  it('must be signed with OpenPGP unless it says otherwise', (t) => {
    const remote = readRemote(repositoryWith(t, '[remote "a"]\nurl=http://x/\n'), 'a');
    assert.deepEqual([remote.gpgVerify, remote.gpgVerifySummary, remote.signVerify], [true, false, { kind: 'off' }]);
  });

  it('is read with all its keys, and those that nobody knows are kept', async (t) => {
    const group = [
      '[remote "a"]',
      'url=http://x/',
      'contenturl=http://y/',
      'branches=one;two/three;',
      'gpg-verify=false',
      'gpgkeypath=/k1;/k2,/k3',
      'sign-verify=ed25519;spki',
      'verification-ed25519-key=AAAA',
      'verification-spki-file=/pem',
      'proxy=http://proxy:3128',
      'xa.title=Something',
    ];
    const repository = repositoryWith(t, `${group.join('\n')}\n`);
    const remote = readRemote(repository, 'a');
    assert.deepEqual(remote.branches, ['one', 'two/three']);
    assert.deepEqual(remote.gpgKeyPath, ['/k1', '/k2', '/k3']);
    assert.deepEqual(remote.signVerify, { kind: 'types', types: ['ed25519', 'spki'] });
    assert.deepEqual(
      [...remote.verificationKeys],
      [
        ['ed25519', { key: 'AAAA', file: undefined }],
        ['spki', { key: undefined, file: '/pem' }],
      ],
    );
    await addRemote(repository, { name: 'b', settings: [['url', 'http://z/']], existing: 'fail' }, options);
    assert.ok(readFileSync(join(repository.path, 'config'), 'utf8').includes(`${group.join('\n')}\n`));
  });

  for (const line of ['gpg-verify=maybe', 'branches=../x', 'collection-id=nodots', 'sign-verify=']) {
    it(`with ${line} is not read as anything`, (t) => {
      assert.throws(() => readRemote(repositoryWith(t, `[remote "a"]\n${line}\n`), 'a'), { code: 'CONFIG_MALFORMED' });
    });
  }

  it('is added once, kept or replaced as it is told, and found again', async (t) => {
    const repository = newRepository(t);
    const add = (url: string, existing: 'fail' | 'keep' | 'replace') =>
      addRemote(repository, { name: 'a', settings: [['url', url]], existing }, options);
    assert.equal(await add('http://1/', 'fail'), true);
    await assert.rejects(add('http://2/', 'fail'), { code: 'REMOTE_EXISTS' });
    assert.equal(await add('http://2/', 'keep'), false);
    assert.equal(readRemote(repository, 'a').url, 'http://1/');
    await add('http://3/', 'replace');
    assert.equal(readRemote(reopened(t, repository.path), 'a').url, 'http://3/');
  });

  it('that could not be read again is not written', async (t) => {
    const repository = newRepository(t);
    const before = readFileSync(join(repository.path, 'config'), 'utf8');
    for (const setting of [
      ['gpg-verify', 'maybe'],
      ['a=b', 'c'],
      ['a\nb', 'c'],
    ] as const) {
      const remote = { name: 'a', settings: [setting], existing: 'fail' as const };
      await assert.rejects(addRemote(repository, remote, options), { code: 'CONFIG_MALFORMED' });
    }
    const named = { name: 'a b', settings: [], existing: 'fail' as const };
    await assert.rejects(addRemote(repository, named, options), { code: 'REF_NAME' });
    assert.equal(readFileSync(join(repository.path, 'config'), 'utf8'), before);
  });

  it('keeps a value with line breaks in one line', async (t) => {
    const repository = newRepository(t);
    const settings = [['unconfigured-state', 'first\nsecond\\']] as const;
    await addRemote(repository, { name: 'a', settings, existing: 'fail' }, options);
    assert.equal(readRemote(reopened(t, repository.path), 'a').unconfiguredState, 'first\nsecond\\');
  });

  it('goes with its keyring when it is deleted', async (t) => {
    const repository = repositoryWith(t, '[remote "a"]\nurl=http://x/\n');
    writeFileSync(join(repository.path, 'a.trustedkeys.gpg'), '');
    assert.equal(await deleteRemote(repository, 'a', options), true);
    assert.equal(await deleteRemote(repository, 'a', options), false);
    assert.throws(() => readRemote(repository, 'a'), { code: 'REMOTE_UNKNOWN' });
    assert.equal(existsSync(join(repository.path, 'a.trustedkeys.gpg')), false);
  });

  it('of a parent repository is inherited, and not deleted', async (t) => {
    const parent = repositoryWith(t, '[remote "p"]\nurl=http://p/\n');
    const child = newRepository(t);
    child.updateConfig((file) => file.set('core', 'parent', parent.path));
    const repository = reopened(t, child.path);
    assert.deepEqual(
      listRemotes(repository).map(({ name }) => name),
      ['p'],
    );
    assert.equal(readRemote(repository, 'p').url, 'http://p/');
    assert.equal(await deleteRemote(repository, 'p', options), false);
  });
});

describe('remotes in a folder of their own', () => {
  it('are read only where the configuration asks for it, and written there', async (t) => {
    const folder = join(scratch(t), 'remotes.d');
    mkdirSync(folder);
    writeFileSync(join(folder, 'x.conf'), '[remote "x"]\nurl=http://x/\n\n[remote "y"]\nurl=http://y/\n');
    const repository = newRepository(t);
    assert.deepEqual(listRemotes(repository, folder), []);
    repository.updateConfig((file) => file.set('core', 'add-remotes-config-dir', 'true'));
    await addRemote(
      repository,
      { name: 'z', settings: [['url', 'http://z/']], existing: 'fail' },
      { ...options, folder },
    );
    assert.deepEqual(
      listRemotes(repository, folder).map(({ name }) => name),
      ['x', 'y', 'z'],
    );
    assert.equal(repository.keyFile.hasGroup('remote "z"'), false);
    await deleteRemote(repository, 'x', { ...options, folder });
    await deleteRemote(repository, 'z', { ...options, folder });
    assert.deepEqual(
      listRemotes(repository, folder).map(({ name }) => name),
      ['y'],
    );
    assert.equal(existsSync(join(folder, 'z.conf')), false);
  });
});

describe('a file with several remotes', () => {
  function shared(t: TestContext) {
    const folder = join(scratch(t), 'remotes.d');
    mkdirSync(folder);
    const file = join(folder, 'a.conf');
    const text = '# ours\n[remote "b"]\nurl=http://b/\n\n[remote "a"]\nurl=http://a/\n';
    writeFileSync(file, text, { mode: 0o600 });
    const repository = newRepository(t);
    repository.updateConfig((keys) => keys.set('core', 'add-remotes-config-dir', 'true'));
    const add = (name: string, key: string, value: string) =>
      addRemote(repository, { name, settings: [[key, value]], existing: 'replace' }, { ...options, folder });
    const urls = () => listRemotes(repository, folder).map(({ name, url }) => [name, url]);
    return { folder, file, text, repository, add, urls };
  }

  it('keeps the others, and its mode, when the one that it is named after is replaced', async (t) => {
    const { file, add, urls } = shared(t);
    await add('a', 'url', 'http://new/');
    assert.deepEqual(urls(), [
      ['a', 'http://new/'],
      ['b', 'http://b/'],
    ]);
    assert.ok(readFileSync(file, 'utf8').startsWith('# ours\n'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('gives up the one that gets a file of its own', async (t) => {
    const { file, folder, add, urls } = shared(t);
    await add('b', 'url', 'http://new/');
    assert.deepEqual(urls(), [
      ['a', 'http://a/'],
      ['b', 'http://new/'],
    ]);
    assert.equal(readFileSync(file, 'utf8').includes('"b"'), false);
    assert.ok(existsSync(join(folder, 'b.conf')));
  });

  it('stays as it is when what should replace one of them could not be read again', async (t) => {
    const { file, text, add } = shared(t);
    await assert.rejects(add('a', 'gpg-verify', 'maybe'), { code: 'CONFIG_MALFORMED' });
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  it('loses what a killed run left beside it', async (t) => {
    const { folder, add } = shared(t);
    writeFileSync(join(folder, '.a.conf-1'), 'half');
    writeFileSync(join(folder, '.a.conf-mine'), '');
    await add('a', 'url', 'http://new/');
    assert.deepEqual(readdirSync(folder).sort(), ['.a.conf-mine', 'a.conf']);
  });
});

describe('the keyring of a remote', () => {
  const file = (name: string) => ({ name, bytes: readFileSync(join(VECTORS, 'keys', name)) });

  it('gains keys, once each, in a file that everybody may read', async (t) => {
    const repository = repositoryWith(t, '[remote "a"]\n');
    const first = await importKeys(repository, { remote: 'a', files: [file('gpg-0.pub.asc')] }, options);
    const again = await importKeys(
      repository,
      { remote: 'a', files: [file('gpg-0.pub.gpg'), file('gpg-1.pub.gpg')] },
      options,
    );
    assert.deepEqual([first.added.length, again.added.length, again.keys.length], [1, 1, 2]);
    assert.deepEqual((await listKeys(repository, 'a')).length, 2);
    assert.equal(statSync(join(repository.path, 'a.trustedkeys.gpg')).mode & 0o777, 0o644);
  });

  for (const [what, bytes] of [
    ['nothing', ''],
    ['no key', 'hello'],
    ['a secret key', file('gpg-0.sec.asc').bytes],
  ] as const) {
    it(`does not take a file with ${what}`, async (t) => {
      const repository = repositoryWith(t, '[remote "a"]\n');
      const files = [{ name: 'given', bytes: Buffer.from(bytes) }];
      await assert.rejects(importKeys(repository, { remote: 'a', files }, options), { code: 'OBJECT_MALFORMED' });
      assert.equal(existsSync(join(repository.path, 'a.trustedkeys.gpg')), false);
    });
  }
});

describe('cookies', () => {
  const line = (...fields: readonly string[]): string => `${fields.join('\t')}\n`;

  it('go to the host, path and scheme that they are for, until they expire', () => {
    const text =
      line('.example.com', 'TRUE', '/repo', 'FALSE', '0', 'a', '1') +
      line('example.com', 'FALSE', '/', 'TRUE', '2000000000', 'b', '2') +
      `# comment\n#HttpOnly_${line('example.com', 'FALSE', '/', 'FALSE', '1000', 'old', '3')}`;
    const cookies = parseCookies(text, 'x');
    const header = (url: string) => cookieHeaders(cookies, url, 1_700_000_000_000)['cookie'];
    assert.equal(header('https://example.com/repo/x'), 'a=1; b=2');
    assert.equal(header('http://sub.example.com/repo'), 'a=1');
    assert.equal(header('http://example.com/other'), undefined);
    assert.equal(header('http://badexample.com/repo'), undefined);
    assert.equal(header('http://example.com/repository'), undefined);
  });

  it('are kept in a file for their owner alone, one for each domain, path and name', (t) => {
    const repository = newRepository(t);
    const cookie = {
      domain: 'example.com',
      hasSubdomains: true,
      path: '/',
      isSecure: false,
      expires: 0,
      name: 'n',
      value: 'v',
    };
    addCookie(repository, 'a', cookie);
    addCookie(repository, 'a', { ...cookie, value: 'w' });
    assert.deepEqual(readCookies(repository, 'a'), [{ ...cookie, value: 'w' }]);
    assert.equal(statSync(join(repository.path, 'a.cookies.txt')).mode & 0o777, 0o600);
    assert.equal(deleteCookie(repository, 'a', { domain: '.example.com', path: '/', name: 'n' }), true);
    assert.equal(deleteCookie(repository, 'a', { domain: 'example.com', path: '/', name: 'n' }), false);
  });

  for (const bad of [
    'one field',
    line('d', 'TRUE', '/', 'FALSE', 'soon', 'n', 'v'),
    line('d', 'TRUE', '/', 'FALSE', '0', 'n', 'a;b'),
  ]) {
    it(`are not read from ${JSON.stringify(bad.slice(0, 24))}, and its text is not told`, () => {
      assert.throws(
        () => parseCookies(bad, 'file'),
        (error: Error) => !error.message.includes(bad.slice(0, 5)),
      );
    });
  }
});
