import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Behaviour } from '../../../test/support/hostile-server.ts';
import { codeOf } from '../../base/error.ts';
import { Reach, reachTree } from '../history/reach.ts';
import { verifyObjects } from '../jobs/verify-objects.ts';
import { isPartial } from '../repository/partial.ts';
import { HEAD, readRef } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { newRepository, SIGNAL } from '../repository/repository.fixture.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { withTransaction } from '../storage/transaction.ts';
import { updateSummary } from '../summary/update-summary.ts';
import { planFromRemote } from './from-remote.ts';
import { DEFAULTS } from './options.ts';
import { noise, publish, pullInto, type Scene, scene, urlOf, visible } from './pull.fixture.ts';

const ORIGIN = { kind: 'remote', remote: 'origin' } as const;

/** Every object of a commit read back and hashed. */
async function assertWhole(repository: Repository, commit: string): Promise<void> {
  const reader = objectsOf(repository);
  const reach = new Reach();
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach);
  const { findings } = await verifyObjects({ reader, writer: undefined }, { objects: [...reach.names()] });
  assert.deepEqual(findings, []);
  assert.equal(isPartial(repository, commit), false);
}

async function summarize({ source }: Scene): Promise<void> {
  await updateSummary(source, { signal: SIGNAL });
}

function objectRequests({ server }: Scene): string[] {
  return server.requests.filter(({ url }) => url.startsWith('/objects/')).map(({ url }) => url);
}

describe('a pull over http', () => {
  for (const mode of ['archive', 'bare-user', 'bare-user-only'] as const) {
    it(`brings every object of a commit into a repository of mode ${mode}, and then the ref`, async (t) => {
      const it = await scene(t, { mode });
      const result = await it.pull();
      await assertWhole(it.into, it.published.commit);
      assert.equal(readRef(it.into, ORIGIN, 'main'), it.published.commit);
      assert.deepEqual(result.refs, [{ place: ORIGIN, ref: 'main', from: undefined, to: it.published.commit }]);
      assert.deepEqual([result.metadata, result.content], [4, 4]);
    });
  }

  it('asks for nothing but the ref and the detached metadata when all is there', async (t) => {
    const it = await scene(t);
    await it.pull();
    const before = it.server.requests.length;
    const again = await it.pull();
    const asked = it.server.requests.slice(before).map(({ url }) => url);
    assert.deepEqual(asked, ['/summary.sig', '/summary', '/config', '/refs/heads/main', urlOf(it.published.commit, 'commitmeta')]);
    assert.equal(again.commits[0]?.isOld, true);
  });

  it('takes the commit of a ref from the summary, and asks for no ref', async (t) => {
    const it = await scene(t);
    await summarize(it);
    await it.pull();
    assert.deepEqual(it.server.requestsFor('/refs/heads/main'), []);
    await assertWhole(it.into, it.published.commit);
  });

  it('believes a summary that does not list a ref', async (t) => {
    const it = await scene(t);
    await summarize(it);
    await assert.rejects(it.pull(['other']), { code: 'REF_MISSING' });
  });

  it('looks only into directories that differ from the commit before', async (t) => {
    const it = await scene(t);
    await it.pull();
    const files = { one: 'one\n', 'usr/two': 'two\n', 'usr/three': 'three\n', 'etc/four': 'changed\n' };
    const second = await publish(it.source, { files, parent: it.published.commit });
    const before = it.server.requests.length;
    const result = await it.pull();
    await assertWhole(it.into, second.commit);
    assert.deepEqual([result.metadata, result.content], [2, 1]);
    assert.equal(it.server.requests.slice(before).filter(({ url }) => url.startsWith('/objects/')).length, 5);
  });

  it('fetches a commit alone, which stays partial until it is pulled as a whole', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { commitOnly: true });
    assert.equal(isPartial(it.into, it.published.commit), true);
    assert.deepEqual(objectRequests(it), [urlOf(it.published.commit, 'commitmeta'), urlOf(it.published.commit, 'commit')]);
    await it.pull();
    await assertWhole(it.into, it.published.commit);
  });

  it('fetches what subpaths name and nothing beside', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { subpaths: ['/usr/two', '/etc'] });
    const reader = objectsOf(it.into);
    const has = Object.entries(it.published.files).filter(([, checksum]) => reader.has(checksum, 'file'));
    assert.deepEqual(has.map(([path]) => path).sort(), ['etc/four', 'usr/two']);
    assert.equal(isPartial(it.into, it.published.commit), true);
  });

  it('refuses a subpath that the commit does not have', async (t) => {
    const it = await scene(t);
    await assert.rejects(it.pull(['main'], { subpaths: ['/usr/none'] }), { code: 'PATH_MISSING' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), undefined);
  });

  it('follows parents as deep as it is told, and takes a missing one as the end of history', async (t) => {
    const it = await scene(t);
    const second = await publish(it.source, { parent: it.published.commit, files: { two: '2' } });
    const third = await publish(it.source, { parent: second.commit, files: { three: '3' } });
    const one = await it.pull(['main'], { depth: 1 });
    assert.deepEqual(one.commits.map(({ checksum }) => checksum), [third.commit, second.commit]);
    it.server.route(urlOf(it.published.commit, 'commit'), { kind: 'status', status: 404 });
    const all = await it.pull(['main'], { depth: -1 });
    assert.deepEqual(all.missingParents, [{ checksum: it.published.commit, child: second.commit, isDeleted: false }]);
    await assertWhole(it.into, second.commit);
  });

  it('writes refs as the remote has them, and the summary, when it mirrors', async (t) => {
    const it = await scene(t, { mode: 'archive' });
    await publish(it.source, { ref: 'other/ref', files: { x: 'x' } });
    await summarize(it);
    await it.pull([], { mirror: true });
    for (const ref of ['main', 'other/ref']) assert.equal(readRef(it.into, HEAD, ref), readRef(it.source, HEAD, ref));
    const summary = (repository: Repository): Buffer => readFileSync(join(repository.path, 'summary'));
    assert.deepEqual(summary(it.into), summary(it.source));
  });

  it('keeps the bytes of files as they came when it mirrors', async (t) => {
    const it = await scene(t, { mode: 'archive' });
    await it.pull();
    const path = urlOf(it.published.files['one'] ?? '', 'filez');
    assert.deepEqual(readFileSync(join(it.into.path, path)), readFileSync(join(it.source.path, path)));
  });

  it('gets objects from contenturl and refs from url', async (t) => {
    const it = await scene(t);
    const other = await scene(t);
    const settings = [['url', it.server.url], ['contenturl', other.server.url], ['gpg-verify', 'false']] as const;
    it.into.updateConfig((file) => {
      for (const [key, value] of settings) file.set('remote "origin"', key, value);
    });
    await it.pull();
    assert.deepEqual(objectRequests(it), [urlOf(it.published.commit, 'commitmeta')]);
    assert.ok(objectRequests(other).includes(urlOf(it.published.commit, 'commit')));
    await assertWhole(it.into, it.published.commit);
  });

  it('passes over mirrors of a list that have no repository', async (t) => {
    const it = await scene(t);
    const list = `# mirrors\n${it.server.url}/none\n${it.server.url}\n`;
    it.server.route('/list', { kind: 'serve', body: list });
    await it.pull(['main'], {}, { url: `mirrorlist=${it.server.url}/list` });
    await assertWhole(it.into, it.published.commit);
  });

  it('takes objects from a repository on this machine when it has them, verified', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { caches: [it.source.path] });
    assert.deepEqual(objectRequests(it), [urlOf(it.published.commit, 'commitmeta'), urlOf(it.published.commit, 'commit')]);
    await assertWhole(it.into, it.published.commit);
  });

  it('sends headers that it is given, and cookies of the remote', async (t) => {
    const it = await scene(t);
    const line = ['127.0.0.1', 'FALSE', '/', 'FALSE', '0', 'token', 'secret'].join('\t');
    writeFileSync(join(it.into.path, 'origin.cookies.txt'), `${line}\n`);
    await it.pull(['main'], {}, { headers: { 'x-tenant': 'a' } });
    for (const { headers } of it.server.requests) {
      assert.deepEqual([headers['x-tenant'], headers['cookie']], ['a', 'token=secret']);
    }
  });

  it('plans without storing anything', async (t) => {
    const it = await scene(t);
    const before = visible(it.into);
    const access = { http: { userAgent: 'test' }, signal: SIGNAL };
    const asked = [{ ref: 'main', commit: undefined }];
    const [planned] = await planFromRemote(it.into, 'origin', { ...DEFAULTS, asked }, access);
    assert.deepEqual([planned?.to, planned?.isOld, planned?.bytes], [it.published.commit, false, undefined]);
    assert.deepEqual(visible(it.into), before);
  });
});

describe('a pull is refused, and nothing of it can be seen,', () => {
  const swap = (it: Scene, checksum: string, extension: 'filez' | 'dirtree', behaviour: Behaviour): void =>
    it.server.route(urlOf(checksum, extension), behaviour);
  const served = (it: Scene, path: string): Buffer => readFileSync(join(it.source.path, path));
  const one = (it: Scene): string => it.published.files['one'] ?? '';
  const two = (it: Scene): string => it.published.files['usr/two'] ?? '';

  const changed = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return copy;
  };

  const hugeHeader = Buffer.alloc(64);
  hugeHeader.writeUInt32BE(0x7fffffff, 0);

  const flaws: readonly (readonly [string, string, (it: Scene) => void])[] = [
    [
      'when a file is damaged',
      'OBJECT_MALFORMED',
      (it) => swap(it, one(it), 'filez', { kind: 'serve', body: changed(served(it, urlOf(one(it), 'filez')), 40) }),
    ],
    [
      'when another file comes in its place',
      'OBJECT_CORRUPT',
      (it) => swap(it, one(it), 'filez', { kind: 'serve', body: served(it, urlOf(two(it), 'filez')) }),
    ],
    ['when a header claims gigabytes', 'OBJECT_MALFORMED', (it) => swap(it, one(it), 'filez', { kind: 'serve', body: hugeHeader })],
    ['when a file is empty', 'OBJECT_MALFORMED', (it) => swap(it, one(it), 'filez', { kind: 'serve', body: '' })],
    ['when a file breaks off again and again', 'HTTP_INTERRUPTED', (it) => swap(it, one(it), 'filez', { kind: 'truncate', after: 20 })],
    ['when a file is gone', 'OBJECT_MISSING', (it) => swap(it, one(it), 'filez', { kind: 'status', status: 404 })],
    ['when a file never ends', 'OBJECT_MALFORMED', (it) => swap(it, one(it), 'filez', { kind: 'endless' })],
    ['when a dirtree never ends', 'TOO_LARGE', (it) => swap(it, it.published.rootTree, 'dirtree', { kind: 'endless' })],
    [
      'when a dirtree is another one',
      'OBJECT_CORRUPT',
      (it) => swap(it, it.published.rootTree, 'dirtree', { kind: 'serve', body: '\0' }),
    ],
    [
      'when the commit is another one',
      'OBJECT_CORRUPT',
      (it) => it.server.route(urlOf(it.published.commit, 'commit'), { kind: 'serve', body: 'not it' }),
    ],
    ['when a page of HTML is served as a ref', 'OBJECT_MALFORMED', (it) => it.server.route('/refs/heads/main', { kind: 'serve', body: '<html>' })],
    ['when the summary is garbage', 'SUMMARY_MALFORMED', (it) => it.server.route('/summary', { kind: 'serve', body: 'garbage' })],
    ['when the remote is no archive', 'REMOTE_UNSUITABLE', (it) => it.server.route('/config', { kind: 'serve', body: '[core]\nrepo_version=1\nmode=bare\n' })],
    ['when the server fails', 'HTTP_UNAVAILABLE', (it) => it.server.route('/summary.sig', { kind: 'status', status: 500 })],
  ];
  for (const [when, code, spoil] of flaws) {
    it(`${when}: ${code}`, async (t) => {
      const it = await scene(t);
      const before = visible(it.into);
      spoil(it);
      await assert.rejects(it.pull(), { code });
      assert.deepEqual(visible(it.into), before);
    });
  }

  it('when the commit is bound to another ref, unless bindings are not to be verified', async (t) => {
    const it = await scene(t, { shape: { boundTo: ['other'] } });
    await assert.rejects(it.pull(), { code: 'BINDING_MISMATCH' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), undefined);
    await it.pull(['main'], { bindings: false });
    await assertWhole(it.into, it.published.commit);
  });

  it('when a commit of another collection comes', async (t) => {
    const it = await scene(t, { settings: [['collection-id', 'org.example.Other']] });
    await assert.rejects(it.pull(), { code: 'BINDING_MISMATCH' });
  });

  it('when the ref would go back in time and that was to be checked', async (t) => {
    const it = await scene(t);
    await it.pull();
    const old = await publish(it.source, { timestamp: 1_600_000_000, files: { old: 'old' } });
    await assert.rejects(it.pull(['main'], { timestampCheck: true }), { code: 'OLDER_COMMIT' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), it.published.commit);
    await it.pull();
    assert.equal(readRef(it.into, ORIGIN, 'main'), old.commit);
  });

  it('when a signature is required and there is none', async (t) => {
    const it = await scene(t);
    it.into.updateConfig((file) => file.set('remote "origin"', 'gpg-verify', 'true'));
    const before = visible(it.into);
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
    assert.deepEqual(visible(it.into), before);
    assert.deepEqual(objectRequests(it), [urlOf(it.published.commit, 'commitmeta'), urlOf(it.published.commit, 'commit')]);
  });

  it('when the summary must be signed and is not', async (t) => {
    const it = await scene(t, { settings: [['gpg-verify-summary', 'true']] });
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
    await summarize(it);
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
  });

  it('when files that are setuid or world-writable are not wanted', async (t) => {
    const it = await scene(t);
    const header = { uid: 0, gid: 0, mode: 0o104755, target: undefined, xattrs: [] };
    await withTransaction(it.source, { signal: SIGNAL }, async ({ writer }) => writer.putFile(header, Buffer.from('su')));
    const [checksum = ''] = Object.values(it.published.files);
    it.server.route(urlOf(checksum, 'filez'), { kind: 'serve', body: suidFile(it) });
    await assert.rejects(it.pull(['main'], { plainModes: true }), { code: 'OBJECT_UNSUITABLE' });
  });

  function suidFile(it: Scene): Buffer {
    const plain = Buffer.from(served(it, urlOf(one(it), 'filez')));
    plain.writeUInt32BE(0o104755, 24); // behind the length word, the size, uid and gid
    return plain;
  }

  for (const [key, value] of [
    ['unconfigured-state', 'subscribe first'],
    ['custom-backend', 'rpm'],
    ['metalink', 'https://example.com/metalink'],
    ['tls-permissive', 'true'],
  ] as const) {
    it(`by a remote with ${key}, which is named`, async (t) => {
      const it = await scene(t, { settings: [[key, value]] });
      await assert.rejects(it.pull(), { code: 'REMOTE_UNSUITABLE', subject: 'origin' });
      assert.equal(it.server.requests.length, 0);
    });
  }
});

describe('a pull that was broken off', () => {
  it('does not fetch again what it had received', async (t) => {
    const it = await scene(t);
    const lost = it.published.files['etc/four'] ?? '';
    it.server.route(urlOf(lost, 'filez'), { kind: 'status', status: 404 });
    await assert.rejects(it.pull(), { code: 'OBJECT_MISSING' });
    it.server.route(urlOf(lost, 'filez'), []);
    const before = it.server.requests.length;
    await it.pull();
    const again = it.server.requests.slice(before).map(({ url }) => url).filter((url) => url.endsWith('dirtree'));
    assert.deepEqual(again, []);
    await assertWhole(it.into, it.published.commit);
  });

  const large = async (t: TestContext, mode: 'archive' | 'bare-user'): Promise<Scene & { readonly path: string }> => {
    const it = await scene(t, { mode, shape: { files: { large: noise(5 * 2 ** 20) } } });
    return { ...it, path: urlOf(it.published.files['large'] ?? '', 'filez') };
  };

  for (const mode of ['archive', 'bare-user'] as const) {
    it(`carries on with a large file where it stopped, into mode ${mode}`, async (t) => {
      const it = await large(t, mode);
      it.server.route(it.path, [{ kind: 'serve' }, { kind: 'serve' }, { kind: 'reset', after: 3 * 2 ** 20 }]);
      await assert.rejects(it.pull());
      it.server.route(it.path, []);
      await it.pull();
      const ranges = it.server.requestsFor(it.path).map(({ headers }) => headers.range);
      const last = /^bytes=([0-9]+)-$/.exec(ranges.at(-1) ?? '')?.[1] ?? '0';
      assert.ok(Number(last) >= 2 * 2 ** 20, `resumed at ${last}`);
      await assertWhole(it.into, it.published.commit);
    });
  }

  it('leaves no part of a large file that turns out to be another one', async (t) => {
    const it = await large(t, 'bare-user');
    it.server.route(it.path, { kind: 'serve', body: Buffer.concat([readFileSync(join(it.source.path, it.path)).subarray(0, -9), noise(9)]) });
    await assert.rejects(it.pull(), (error) => codeOf(error)?.startsWith('OBJECT_') === true);
    it.server.route(it.path, []);
    await it.pull();
    await assertWhole(it.into, it.published.commit);
  });
});

describe('a cached summary', () => {
  it('is used as long as the signature is the same, and not when it was changed on the disk', async (t) => {
    const it = await scene(t);
    await summarize(it);
    writeFileSync(join(it.source.path, 'summary.sig'), '');
    await it.pull();
    await it.pull();
    assert.equal(it.server.requestsFor('/summary').length, 1);
    rmSync(join(it.into.path, 'tmp/cache/summaries/origin'));
    await it.pull();
    assert.equal(it.server.requestsFor('/summary').length, 2);
  });
});

describe('two repositories that pull from each other', () => {
  it('do not share what they are told about remotes', async (t) => {
    const into = newRepository(t, 'bare-user');
    await assert.rejects(pullInto(into)(['main']), { code: 'REMOTE_UNKNOWN' });
  });
});
